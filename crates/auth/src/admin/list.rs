//! Listing users, page by page.

use crate::admin::listed;
use crate::codes;
use crate::email;
use crate::error::{AuthError, AuthResult};
use crate::http::AuthResponse;
use crate::service::Call;
use crate::users::{self, Page, User};

/// Users of a page when nobody says how many.
const PER_PAGE: u64 = 50;

/// The most users of a page.
const PER_PAGE_MAX: u64 = 10_000;

/// `GET /admin/users`
pub(crate) async fn list(call: &Call<'_>) -> AuthResult<AuthResponse> {
    let audience = call.audience()?;
    // Differs from GoTrue, which has no way to find somebody by their address.
    if let Some(address) = call.request.parameter("email") {
        return one(call, audience, email::canonical(&address)).await;
    }
    let number = |name: &str, default: u64| positive(call, name, default);
    let (page, per_page) = (number("page", 1)?, number("per_page", PER_PAGE)?.min(PER_PAGE_MAX + 1));
    if per_page > PER_PAGE_MAX {
        return Err(bad(&format!("per_page may be {PER_PAGE_MAX} at most")));
    }
    let is_newest_first = is_newest_first(&call.request.parameter("sort").unwrap_or_default())?;
    let filter = call.request.parameter("filter").unwrap_or_default();
    let offset = page.saturating_sub(1).saturating_mul(per_page);
    let (limit, offset) =
        (i64::try_from(per_page).unwrap_or(i64::MAX), i64::try_from(offset).unwrap_or(i64::MAX));
    let wanted = audience.clone();
    let found = call.transact(move |work| {
        Box::pin(async move {
            let page = Page { audience: &wanted, filter: &filter, is_newest_first, limit, offset };
            users::page(work, &page).await
        })
    });
    let (users, total) = found.await?;
    let total = u64::try_from(total).unwrap_or_default();
    let response = AuthResponse::json(200, &listed(&users, &audience));
    Ok(response
        .with("x-total-count", total.to_string())
        .with("link", links(&call.request.query, page, total.div_ceil(per_page))))
}

async fn one(call: &Call<'_>, audience: String, address: String) -> AuthResult<AuthResponse> {
    let found = call.transact(move |work| Box::pin(async move { users::by_email(work, &address).await }));
    let users: Vec<User> = found.await?.into_iter().filter(|user| user.audience == audience).collect();
    let count = users.len().to_string();
    Ok(AuthResponse::json(200, &listed(&users, &audience)).with("x-total-count", count))
}

fn bad(why: &str) -> AuthError {
    AuthError::new(codes::VALIDATION_FAILED, format!("Bad Pagination Parameters: {why}"))
}

fn positive(call: &Call<'_>, name: &str, default: u64) -> AuthResult<u64> {
    match call.request.parameter(name).filter(|text| !text.is_empty()) {
        None => Ok(default),
        Some(text) => match text.parse::<u64>() {
            Ok(number) if number > 0 => Ok(number),
            _ => Err(bad(&format!("{name} must be a whole number above 0"))),
        },
    }
}

/// `created_at`, `created_at desc` or `created_at asc`.
fn is_newest_first(sort: &str) -> AuthResult<bool> {
    match sort.trim() {
        "" | "created_at desc" => Ok(true),
        "created_at" | "created_at asc" => Ok(false),
        other => {
            let message = format!("Bad Sort Parameters: only created_at can be sorted by, not {other:?}");
            Err(AuthError::new(codes::VALIDATION_FAILED, message))
        }
    }
}

/// The header that leads to the next and the last page. Clients read the page from the first parameter of each.
fn links(query: &str, page: u64, pages: u64) -> String {
    let rest: String = query
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.starts_with("page=") && pair.is_ascii())
        .filter(|pair| !pair.contains(['<', '>', '"', '\r', '\n']))
        .fold(String::new(), |rest, pair| format!("{rest}&{pair}"));
    let link = |page: u64, relation: &str| format!("</admin/users?page={page}{rest}>; rel=\"{relation}\"");
    match page < pages {
        true => format!("{}, {}", link(page + 1, "next"), link(pages, "last")),
        false => link(pages, "last"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_the_next_and_the_last_page() {
        assert_eq!(
            links("per_page=10&page=1", 1, 3),
            "</admin/users?page=2&per_page=10>; rel=\"next\", </admin/users?page=3&per_page=10>; rel=\"last\""
        );
        assert_eq!(links("", 3, 3), "</admin/users?page=3>; rel=\"last\"");
        assert_eq!(links("filter=a\">b", 1, 1), "</admin/users?page=1>; rel=\"last\"");
    }

    #[test]
    fn users_are_sorted_by_their_age_only() {
        assert!(is_newest_first("").unwrap() && !is_newest_first("created_at asc").unwrap());
        assert!(is_newest_first("encrypted_password").is_err());
    }
}
