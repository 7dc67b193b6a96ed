//! Reading a file with the rights of somebody else. Everything here blocks.

use std::path::Path;

use rustix::fs::{self, OFlags};
use rustix::process::{Gid, Uid};
use rustix::thread;

use super::resolver::{self, OpenError, Resolver, Stat};

/// Makes the calling thread act as `who`, for good.
pub(super) fn become_user((uid, gid): (u32, u32)) -> Result<(), OpenError> {
    if rustix::process::geteuid().as_raw() == uid {
        return Ok(());
    }
    let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
    thread::set_thread_groups(&[])?;
    thread::set_thread_res_gid(gid, gid, gid)?;
    Ok(thread::set_thread_res_uid(uid, uid, uid)?)
}

impl Resolver {
    /// See [`super::HostRoot::read_as`]; the calling thread is already that user.
    pub(super) fn read_unlinked(
        &self,
        path: &Path,
        limit: u64,
    ) -> Result<(Stat, Vec<u8>), OpenError> {
        let file = self.open_with(path, OFlags::NOFOLLOW)?;
        let stat = Stat::from(&fs::fstat(&file)?);
        Ok((stat, resolver::read_all(file, limit)?))
    }
}
