//! Two wires made one, by somebody who stands between them.

use std::collections::HashMap;
use std::io;
use std::sync::{LazyLock, Mutex, PoisonError};

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::sync::Notify;

use crate::tls::Wire;

/// Wires that somebody is about to join with another.
static LENT: LazyLock<Mutex<HashMap<u64, Wire>>> = LazyLock::new(Mutex::default);
static GROWN: Notify = Notify::const_new();

/// Gives a wire away; how it ended for whoever had it.
pub(crate) fn lend(number: u64, wire: Wire) -> String {
    LENT.lock().unwrap_or_else(PoisonError::into_inner).insert(number, wire);
    GROWN.notify_waiters();
    "in another's hands".to_owned()
}

/// Passes on what comes, both ways, as it comes but for what the order says; how it ended.
pub(crate) async fn join(mut near: Wire, order: &Value) -> String {
    let number = |key: &str| order.get(key).and_then(Value::as_u64);
    let far = borrow(number("with").unwrap_or_default()).await;
    far.set_nodelay();
    let last = order.get("text").and_then(Value::as_str).unwrap_or_default();
    let told = async {
        near.write_all(last.as_bytes()).await?;
        near.flush().await
    }
    .await;
    if let Err(error) = told {
        return error.to_string();
    }
    let (from_near, to_near) = split(near);
    let (from_far, to_far) = split(far);
    let there = pass(from_near, to_far, number("spoil"), number("cut"));
    let back = pass(from_far, to_near, None, None);
    tokio::pin!(there, back);
    let ended = tokio::select! {
        // Whoever cuts the one way cuts the other.
        cut = &mut there => match cut {
            Ok(true) => return "cut off".to_owned(),
            Ok(false) => back.await,
            Err(error) => Err(error),
        },
        ended = &mut back => match ended {
            Ok(_) => there.await,
            Err(error) => Err(error),
        },
    };
    ended.map_or_else(|error| error.to_string(), |_| "by both ends".to_owned())
}

async fn borrow(number: u64) -> Wire {
    loop {
        let grown = GROWN.notified();
        tokio::pin!(grown);
        grown.as_mut().enable();
        if let Some(wire) = LENT.lock().unwrap_or_else(PoisonError::into_inner).remove(&number) {
            return wire;
        }
        grown.await;
    }
}

/// Passes on one way, with one byte spoilt; whether it was cut off after so many.
async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    spoil: Option<u64>,
    cut: Option<u64>,
) -> io::Result<bool> {
    let mut passed = 0;
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 {
            to.shutdown().await?;
            return Ok(false);
        }
        let mut read = u64::try_from(read).map_err(io::Error::other)?;
        if let Some(at) = spoil.and_then(|it| it.checked_sub(passed))
            && let Some(byte) = usize::try_from(at).ok().and_then(|at| buffer.get_mut(at))
            && at < read
        {
            *byte ^= 1;
        }
        let is_cut = cut.is_some_and(|cut| cut <= passed + read);
        if let Some(cut) = cut {
            read = read.min(cut.saturating_sub(passed));
        }
        passed += read;
        let bytes = usize::try_from(read).ok().and_then(|read| buffer.get(..read));
        to.write_all(bytes.unwrap_or_default()).await?;
        to.flush().await?;
        if is_cut {
            return Ok(true);
        }
    }
}
