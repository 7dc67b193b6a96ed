//! One call: its deadline, and what is noted of it.

use std::time::Duration;

use tokio::time::Instant;
use tonic::{Request, Response, Status};

use super::error::{CriError, Kind};
use super::latency;

pub(super) fn request<T>(message: T, deadline: Duration) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(deadline);
    request
}

/// Waits for `answer` at most `deadline`: tonic's own timer ends with the first byte of an
/// answer, this one with its last.
pub(super) async fn within<T>(
    call: &str,
    deadline: Duration,
    answer: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<T, CriError> {
    within_of(call, None, deadline, answer).await
}

/// [`within`], for a call about one thing.
pub(super) async fn within_of<T>(
    call: &str,
    about: Option<&str>,
    deadline: Duration,
    answer: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<T, CriError> {
    let began = Instant::now();
    let result = match tokio::time::timeout(deadline, answer).await {
        Err(_) => Err(CriError::timeout(call, deadline)),
        Ok(Err(status)) => Err(match CriError::from_status(call, &status) {
            error if error.kind == Kind::Timeout => CriError::timeout(call, deadline),
            error => error,
        }),
        Ok(Ok(response)) => Ok(response.into_inner()),
    };
    latency::note(call, about, began.elapsed(), result.is_err());
    let error = result.as_ref().err().map(tracing::field::display);
    tracing::debug!(call, took = ?began.elapsed(), error);
    result
}
