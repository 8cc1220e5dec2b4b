//! `Content-Range`, and the status that follows from it (RFC 9110, section 14.4, with items as units).

use types::Error;

use crate::range::{Range, beyond};
use crate::request::Request;

/// The page of a result that a reply holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page {
    /// What was asked for.
    pub(super) range: Range,
    /// The rows of the page.
    pub(super) rows: u64,
    /// All rows, if they were counted.
    pub(super) total: Option<u64>,
}

impl Page {
    /// `limit=0` asks for no position.
    fn offset(&self) -> u64 {
        if self.range.limit == Some(0) { 0 } else { self.range.offset }
    }

    /// `PGRST103` for a page beyond the last row; only a counted result has one.
    pub(super) fn refusal(&self) -> Option<Error> {
        let total = self.total.filter(|&total| self.offset() > total)?;
        Some(beyond(self.offset(), total))
    }

    /// 206 when there is more than the page.
    pub(super) fn status(&self) -> u16 {
        if self.total.is_some_and(|total| self.rows < total) { 206 } else { 200 }
    }

    pub(super) fn content_range(&self) -> String {
        content_range(self.offset(), self.rows, self.total)
    }
}

fn content_range(offset: u64, rows: u64, total: Option<u64>) -> String {
    let rows = match rows.checked_sub(1) {
        Some(last) if total != Some(0) => format!("{offset}-{}", offset.saturating_add(last)),
        _ => "*".to_owned(),
    };
    match total {
        Some(total) => format!("{rows}/{total}"),
        None => format!("{rows}/*"),
    }
}

/// The affected rows are the total of a write, said when a count is asked for.
fn counted(request: &Request, rows: u64) -> Option<u64> {
    request.prefer.count.map(|_| rows)
}

/// Of an insert or deletion: a number, no positions.
pub(super) fn affected(request: &Request, rows: u64) -> String {
    content_range(0, 0, counted(request, rows))
}

/// Of an update: its rows as the first ones.
pub(super) fn updated(request: &Request, rows: u64) -> String {
    content_range(0, rows, counted(request, rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table is that of PostgREST's `rangeStatusHeader`.
    #[test]
    fn status_and_range_follow_from_offset_rows_and_total() {
        for (offset, limit, rows, total, status, text) in [
            (0, None, 3, None, 200, "0-2/*"),
            (0, None, 0, None, 200, "*/*"),
            (0, None, 3, Some(3), 200, "0-2/3"),
            (0, Some(2), 2, Some(3), 206, "0-1/3"),
            (2, Some(2), 1, Some(3), 206, "2-2/3"),
            (0, None, 0, Some(0), 200, "*/0"),
            (3, None, 0, Some(3), 206, "*/3"),
            (4, None, 0, Some(3), 416, "*/3"),
            (4, Some(0), 0, Some(3), 206, "*/3"),
            (0, Some(0), 0, None, 200, "*/*"),
            (9, None, 0, None, 200, "*/*"),
        ] {
            let page = Page { range: Range { offset, limit }, rows, total };
            let found = page.refusal().map_or(page.status(), |error| error.code().status());
            assert_eq!((found, page.content_range().as_str()), (status, text), "{page:?}");
        }
    }
}
