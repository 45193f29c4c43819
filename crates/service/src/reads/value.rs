//! What goes into a read and comes out of it, whichever client makes it.

use sea_orm::{DbErr, QueryResult, TryGetable, Value};
use std::error::Error;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSqlOwned, IsNull, ToSql, Type, WrongType};
use uuid::Uuid;

/// What a query is asked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Param {
    /// `uuid`.
    Id(Uuid),
    /// `bigint`.
    Number(i64),
    /// `text`.
    Text(String),
}

impl From<Uuid> for Param {
    fn from(id: Uuid) -> Self {
        Self::Id(id)
    }
}

impl From<i64> for Param {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<String> for Param {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&Param> for Value {
    fn from(param: &Param) -> Self {
        match param {
            Param::Id(id) => (*id).into(),
            Param::Number(number) => (*number).into(),
            Param::Text(text) => text.as_str().into(),
        }
    }
}

impl ToSql for Param {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Id(id) => write(id, ty, out),
            Self::Number(number) => write(number, ty, out),
            Self::Text(text) => write(text, ty, out),
        }
    }

    /// Each kind looks for itself.
    fn accepts(_: &Type) -> bool {
        true
    }

    tokio_postgres::types::to_sql_checked!();
}

fn write<T: ToSql>(
    value: &T,
    ty: &Type,
    out: &mut BytesMut,
) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
    if T::accepts(ty) {
        value.to_sql(ty, out)
    } else {
        Err(Box::new(WrongType::new::<T>(ty.clone())))
    }
}

/// What can be read from a row.
pub trait Column: FromSqlOwned + TryGetable {}

impl<T: FromSqlOwned + TryGetable> Column for T {}

/// A row.
#[derive(Debug)]
pub struct Row(Kind);

#[derive(Debug)]
enum Kind {
    Line(tokio_postgres::Row),
    Pool(QueryResult),
}

impl Row {
    pub(super) const fn of_line(row: tokio_postgres::Row) -> Self {
        Self(Kind::Line(row))
    }

    pub(super) const fn of_pool(row: QueryResult) -> Self {
        Self(Kind::Pool(row))
    }

    /// The value in the column `name`.
    ///
    /// # Errors
    /// [`DbErr::Type`] when there is no such column, or something else in it.
    pub fn get<T: Column>(&self, name: &str) -> Result<T, DbErr> {
        match &self.0 {
            Kind::Line(row) => row
                .try_get(name)
                .map_err(|error| DbErr::Type(error.to_string())),
            Kind::Pool(row) => row.try_get("", name),
        }
    }
}
