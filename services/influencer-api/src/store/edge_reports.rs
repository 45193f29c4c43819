//! What the edge says it has promised in each hour, and whether all of that has arrived.

use super::values::to_column;
use contracts::ingest::EdgeReport;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

/// The longest name of an edge object.
const MAX_SHARD: usize = 64;

/// A report's figures as the database holds them.
#[derive(Debug, Clone, Copy)]
pub struct Figures {
    vaus: i64,
    users: Option<i64>,
    devices: Option<i64>,
    sites: Option<i64>,
    trust: Option<i16>,
}

impl Figures {
    /// Nothing when one of them is beyond what an hour can have.
    pub fn of(report: &EdgeReport) -> Option<Self> {
        let named = (1..=MAX_SHARD).contains(&report.shard.len())
            && report.shard.bytes().all(|b| b.is_ascii_graphic());
        if !named {
            return None;
        }
        let whole = |n: u64| i64::try_from(n).ok();
        let (users, devices, sites, trust) = match &report.figures {
            None => (None, None, None, None),
            Some(figures) => (
                Some(whole(figures.unique_users)?),
                Some(whole(figures.unique_devices)?),
                Some(whole(figures.unique_sites)?),
                Some(i16::try_from(figures.avg_trust_score).ok()?),
            ),
        };
        Some(Self {
            vaus: whole(report.count)?,
            users,
            devices,
            sites,
            trust,
        })
    }
}

/// Keeps a report; the same one again changes nothing.
pub async fn keep(
    db: &impl ConnectionTrait,
    report: &EdgeReport,
    figures: Figures,
) -> Result<(), DbErr> {
    let sql = "INSERT INTO edge_reports (report_id, shard, hour_ends_at, vaus, promised, unique_users, \
                   unique_devices, unique_sites, avg_trust_score) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (report_id) DO NOTHING";
    let values = [
        report.segment_id.into(),
        report.shard.clone().into(),
        to_column(report.hour_ends_at).into(),
        figures.vaus.into(),
        report.promised.to_i64().into(),
        figures.users.into(),
        figures.devices.into(),
        figures.sites.into(),
        figures.trust.into(),
    ];
    let insert = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    db.execute_raw(insert).await.map(|_| ())
}

/// VAUs that the edge has promised in the last two days, more than an hour ago, and that were neither counted nor
/// set aside. The reports about money count; those of figures say the same again.
pub async fn missing(db: &impl ConnectionTrait) -> Result<i32, DbErr> {
    let sql = "SELECT least(coalesce(sum(greatest(h.vaus - c.counted - q.aside, 0)), 0), 2147483647)::integer AS missing \
               FROM (SELECT hour_ends_at, sum(vaus) AS vaus FROM edge_reports \
                     WHERE unique_users IS NULL AND hour_ends_at BETWEEN now() - interval '2 days' AND now() - interval '1 hour' \
                     GROUP BY hour_ends_at) AS h \
               CROSS JOIN LATERAL (SELECT count(*) AS counted FROM vaus \
                     WHERE accepted_at >= h.hour_ends_at - interval '1 hour' AND accepted_at < h.hour_ends_at) AS c \
               CROSS JOIN LATERAL (SELECT count(DISTINCT coalesce(vau_id, segment_id::text || item_index)) AS aside FROM vau_quarantine \
                     WHERE reason <> 'conflicting' AND accepted_at >= h.hour_ends_at - interval '1 hour' \
                         AND accepted_at < h.hour_ends_at) AS q";
    let row = db
        .query_one_raw(Statement::from_string(DbBackend::Postgres, sql))
        .await?;
    row.map_or(Ok(0), |row| row.try_get("", "missing"))
}
