//! What keeps one request from harming others: sizes, time, panics.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_LENGTH;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use types::{Code, Error, Limits, Result};

/// Refuses a head that is too long.
///
/// # Errors
/// `BP414`, `BP431`.
pub(super) fn check_head(uri: &Uri, headers: &HeaderMap, limits: &Limits) -> Result<()> {
    let target = uri.path_and_query().map_or(0, |target| target.as_str().len());
    if target > limits.url_bytes_max {
        let message = format!("The request target is longer than {} bytes", limits.url_bytes_max);
        return Err(Error::new(Code::URI_TOO_LONG, message));
    }
    let headers: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if headers > limits.header_bytes_max {
        let message = format!("The headers are longer than {} bytes", limits.header_bytes_max);
        return Err(Error::new(Code::HEADERS_TOO_LARGE, message));
    }
    Ok(())
}

/// Reads a body that is not longer than a limit; one that says that it is longer is not read at all.
///
/// # Errors
/// `BP413`; `PGRST102` when the connection breaks.
pub(super) async fn whole(parts: &Parts, body: Body, bytes_max: usize) -> Result<Bytes> {
    let too_large =
        || Error::new(Code::PAYLOAD_TOO_LARGE, format!("The body is longer than {bytes_max} bytes"));
    let said = parts.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if said.is_some_and(|length| length > u64::try_from(bytes_max).unwrap_or(u64::MAX)) {
        return Err(too_large());
    }
    match Limited::new(body, bytes_max).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(error) => Err(Error::new(Code::BODY, "The body could not be read").with_cause(error)),
    }
}

/// Runs a request within its time; a panic ends it and nothing else.
///
/// # Errors
/// `BP504` after the time, `XX000` for a panic.
pub(super) async fn within<T>(limits: &Limits, request: impl Future<Output = Result<T>>) -> Result<T> {
    let time = Duration::from_millis(limits.request_timeout_ms);
    match tokio::time::timeout(time, caught(request)).await {
        Ok(outcome) => outcome,
        Err(_) => {
            Err(Error::new(Code::TIMEOUT, format!("The request took longer than {} ms", time.as_millis())))
        }
    }
}

async fn caught<T>(request: impl Future<Output = Result<T>>) -> Result<T> {
    let mut request = pin!(request);
    // The request is never polled again after a panic, and what it shares with others is behind locks that say so.
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| request.as_mut().poll(context))) {
        Ok(poll) => poll,
        Err(panic) => Poll::Ready(Err(Error::internal(format!("panic: {}", words(&*panic))))),
    })
    .await
}

fn words(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without words")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_error_of_one_request() {
        let error =
            within(&Limits::default(), async { if true { panic!("oh") } else { Ok(()) } }).await.unwrap_err();
        assert_eq!((error.code(), error.cause()), (Code::INTERNAL, Some("panic: oh")));
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_does_not_end_is_ended() {
        let error = within(&Limits::default(), std::future::pending::<Result<()>>()).await.unwrap_err();
        assert_eq!(error.code(), Code::TIMEOUT);
    }
}
