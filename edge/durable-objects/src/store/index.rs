//! What is in the table `segments`, without the bodies. While the backend is away thousands of segments wait, 60 KB
//! each; a query for the next one that is due would read them all, with every alarm and every receipt.

use super::{Columns, Store, StoreError, Value, number};
use crate::store::Kind;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// A segment or report, without its body.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) kind: Kind,
    pub(super) first_seq: u64,
    pub(super) last_seq: u64,
    pub(super) made_at: u64,
    pub(super) sent: u32,
    pub(super) next_at: u64,
    pub(super) archived: bool,
}

type Pieces = BTreeMap<String, Piece>;

/// Every row of the table; nothing while it is not known.
#[derive(Debug)]
pub(super) struct Outbox(RefCell<Option<Pieces>>);

impl Outbox {
    pub(super) const fn new() -> Self {
        Self(RefCell::new(None))
    }
}

impl Store {
    /// After a failure nobody knows what has become of the rows: they are read again.
    pub(crate) fn forget_index(&self) {
        self.outbox.0.replace(None);
    }

    /// Works on the rows, which are read first if they are not known.
    pub(super) fn with_pieces<T>(
        &self,
        work: impl FnOnce(&mut Pieces) -> T,
    ) -> Result<T, StoreError> {
        let known = self.outbox.0.borrow().is_some();
        if !known {
            let pieces = self.read_pieces()?;
            self.outbox.0.replace(Some(pieces));
        }
        let mut pieces = self.outbox.0.borrow_mut();
        Ok(work(pieces.get_or_insert_default()))
    }

    fn read_pieces(&self) -> Result<Pieces, StoreError> {
        let query = "SELECT segment_id, kind, first_seq, last_seq, made_at, sent, next_at, archived FROM segments";
        let rows = self.run(query, vec![])?;
        rows.iter()
            .map(|row| {
                let piece = Piece {
                    kind: Kind::of(row.text(1, "segments")?)?,
                    first_seq: row.unsigned(2, "segments")?,
                    last_seq: row.unsigned(3, "segments")?,
                    made_at: row.unsigned(4, "segments")?,
                    sent: row.small(5, "segments")?,
                    next_at: row.unsigned(6, "segments")?,
                    archived: row.unsigned(7, "segments")? != 0,
                };
                Ok((row.text(0, "segments")?.to_owned(), piece))
            })
            .collect()
    }

    /// The oldest `most` of those that `wanted` picks.
    pub(super) fn oldest(
        &self,
        most: usize,
        wanted: impl Fn(&Piece) -> bool,
    ) -> Result<Vec<(String, Piece)>, StoreError> {
        self.with_pieces(|pieces| {
            let mut found: Vec<_> = pieces.iter().filter(|(_, piece)| wanted(piece)).collect();
            found.sort_by_key(|(_, piece)| piece.made_at);
            let oldest = found.into_iter().take(most);
            oldest
                .map(|(id, piece)| (id.clone(), piece.clone()))
                .collect()
        })
    }

    /// The body of a segment or report.
    pub(super) fn body(&self, id: &str) -> Result<String, StoreError> {
        let query = "SELECT body FROM segments WHERE segment_id = ?";
        let row = self.one(query, vec![id.into()])?;
        let row = row.ok_or(StoreError::Row("segments"))?;
        Ok(row.text(0, "segments")?.to_owned())
    }

    /// Writes one down.
    pub(super) fn insert_piece(
        &self,
        id: String,
        body: String,
        piece: Piece,
    ) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO segments (segment_id, kind, body, first_seq, last_seq, made_at, sent, next_at, archived) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            vec![
                id.as_str().into(),
                piece.kind.text().into(),
                body.into(),
                number(piece.first_seq),
                number(piece.last_seq),
                number(piece.made_at),
                Value::Integer(piece.sent.into()),
                number(piece.next_at),
                Value::Integer(piece.archived.into()),
            ],
        )?;
        self.with_pieces(|pieces| pieces.insert(id, piece))
            .map(drop)
    }
}
