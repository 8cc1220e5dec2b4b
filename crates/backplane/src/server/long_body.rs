//! A body of which a part was put aside, sent piece by piece: as fast as the client takes it, and no faster.

use std::any::Any;
use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result, Seek};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes};
use hyper::body::{Frame, SizeHint};
use tokio::task::JoinHandle;

use crate::spool::Spooled;

/// Bytes that are read at a time: two of these are in memory for a body.
const PIECE_BYTES: u64 = 256 << 10;

/// The body of an answer.
pub(super) fn of(body: rest::Body) -> Body {
    let length = body.length();
    let (spool, end) = body.into_parts();
    let Some(spool) = spool else { return Body::from(end) };
    let spool: Arc<dyn Any + Send + Sync> = spool;
    match spool.downcast::<Spooled>() {
        Ok(spool) => Body::new(LongBody { state: State::Start(spool), end: end.into(), left: length }),
        Err(_) => {
            // A body that is shorter than it says ends the connection, so that nobody takes it for the whole.
            tracing::error!("a body was put aside by somebody else");
            Body::new(LongBody { state: State::Lost, end: Bytes::new(), left: length })
        }
    }
}

/// What is left of a body.
struct LongBody {
    state: State,
    /// What comes after the file.
    end: Bytes,
    /// Bytes that were not sent yet, those of `end` included.
    left: u64,
}

enum State {
    /// Nothing was read.
    Start(Arc<Spooled>),
    /// The next piece is read.
    Reading(Arc<Spooled>, JoinHandle<Result<Bytes>>),
    /// The file is at its end, or cannot be read.
    Read,
    Lost,
}

impl LongBody {
    fn piece(&self) -> u64 {
        let end = u64::try_from(self.end.len()).unwrap_or(u64::MAX);
        self.left.saturating_sub(end).min(PIECE_BYTES)
    }

    fn next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        loop {
            match std::mem::replace(&mut self.state, State::Lost) {
                State::Start(spool) => self.state = read(spool, self.piece(), true),
                State::Reading(spool, mut piece) => {
                    let Poll::Ready(read_piece) = Pin::new(&mut piece).poll(context) else {
                        self.state = State::Reading(spool, piece);
                        return Poll::Pending;
                    };
                    let bytes = read_piece.map_err(Error::other).flatten();
                    if let Ok(bytes) = &bytes {
                        self.left = self.left.saturating_sub(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
                        // The next piece is read while this one is sent.
                        self.state = match self.piece() {
                            0 => State::Read,
                            piece => read(spool, piece, false),
                        };
                    }
                    return Poll::Ready(Some(bytes));
                }
                State::Read => {
                    self.state = State::Read;
                    self.left = 0;
                    let end = std::mem::take(&mut self.end);
                    return Poll::Ready((!end.is_empty()).then_some(Ok(end)));
                }
                State::Lost => return Poll::Ready(Some(Err(Error::from(ErrorKind::UnexpectedEof)))),
            }
        }
    }
}

fn read(spool: Arc<Spooled>, bytes: u64, is_first: bool) -> State {
    let reader = spool.clone();
    let piece = tokio::task::spawn_blocking(move || piece(reader.file(), bytes, is_first));
    State::Reading(spool, piece)
}

fn piece(mut file: &File, bytes: u64, is_first: bool) -> Result<Bytes> {
    if is_first {
        file.rewind()?;
    }
    let mut piece = Vec::with_capacity(usize::try_from(bytes).unwrap_or_default());
    let read = file.take(bytes).read_to_end(&mut piece)?;
    if u64::try_from(read) == Ok(bytes) { Ok(piece.into()) } else { Err(ErrorKind::UnexpectedEof.into()) }
}

impl hyper::body::Body for LongBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>>>> {
        let next = ready!(self.next(context));
        if let Some(Err(error)) = &next {
            tracing::error!(cause = %error, "a reply that was put aside could not be read: it is cut off");
        }
        Poll::Ready(next.map(|piece| piece.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
