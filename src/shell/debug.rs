//! A debug container, for as long as somebody is in it.

use super::talk::{Talk, Way};
use crate::cri::Writer;
use crate::cri::debug::Debug;
use crate::cri::stream::StreamError;
use crate::host::owner;
use crate::model::visit::Visit;

/// Makes it, talks to it and removes it, on every way out.
pub(super) async fn debug(
    visit: &Visit,
    (image, runs): (&str, bool),
    talk: &mut Talk,
    writer: &Writer,
) -> Result<(Way, String), StreamError> {
    let debug = Debug {
        pod: visit.pod.clone(),
        target: runs.then(|| visit.container.clone()),
        image: image.to_owned(),
        name: name(),
        owner: tokio::task::spawn_blocking(owner::own)
            .await
            .unwrap_or_default(),
    };
    let id = writer.debug(&debug).await?;
    let sees = if runs {
        ", which sees its processes (its files: /proc/1/root)"
    } else {
        ""
    };
    talk.say(&format!(
        "{} from {image}{sees}; it is removed when you leave",
        debug.name
    ))
    .await;
    let talked = attached(&id, talk, writer).await;
    let removed = writer.discard(&id).await;
    let (way, line) = talked?;
    match removed {
        Ok(()) => Ok((way, line)),
        Err(error) => Ok((way, format!("{} was not removed: {error}", debug.name))),
    }
}

async fn attached(
    id: &crate::domain::ContainerId,
    talk: &mut Talk,
    writer: &Writer,
) -> Result<(Way, String), StreamError> {
    let size = talk.size();
    let mut open = writer.attach(id, Some(size), true).await?;
    talk.raw(true, true);
    // The prompt was written before anybody looked.
    open.input.stdin(b"\n").await?;
    let way = talk.with(&mut open, false).await;
    open.input.close().await;
    Ok((way, "the debug container is gone".to_owned()))
}

/// A name that no other debug container of the pod has.
fn name() -> String {
    let now = jiff::Timestamp::now().as_millisecond();
    format!("critui-debug-{:x}", now & 0xff_ffff)
}
