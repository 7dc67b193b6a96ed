//! How values of a tree are worded.

use crate::format::bytes;
use crate::tree::Tree;

/// The first of several paths that leads to a text.
pub fn first<'a>(tree: &'a Tree, paths: &[&[&str]]) -> Option<&'a str> {
    paths.iter().find_map(|path| tree.text(path))
}

/// A number that means something: protobuf's zero is "not set".
pub fn number(tree: &Tree, path: &[&str]) -> Option<i64> {
    tree.number(path).filter(|number| *number != 0)
}

/// A command line as it could be typed.
pub fn command_line(args: &[&str]) -> String {
    let quoted = |arg: &&str| {
        let plain =
            |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,<>[]{}".contains(c) || !c.is_ascii();
        if !arg.is_empty() && arg.chars().all(plain) {
            (*arg).to_owned()
        } else {
            format!("'{}'", arg.replace('\'', "'\\''"))
        }
    };
    args.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

/// `part` of `whole` CPUs: `0.5 CPU`, `50m CPU`.
pub fn cpus(part: i64, whole: i64) -> String {
    let milli = part.saturating_mul(1000) / whole.max(1);
    match (milli / 1000, milli % 1000) {
        (0, milli) => format!("{milli}m CPU"),
        (whole, 0) => format!("{whole} CPU"),
        (whole, rest) => format!("{whole}.{} CPU", format!("{rest:03}").trim_end_matches('0')),
    }
}

/// Bytes, in short and in full. A number near the largest there is means no limit.
pub fn quantity(count: i64) -> String {
    match u64::try_from(count) {
        Ok(count) if count < 1 << 60 => format!("{} ({count} bytes)", bytes(count)),
        _ => "none".to_owned(),
    }
}

/// The user that the first process acts as.
pub fn user(tree: &Tree) -> Option<String> {
    let spec = ["info", "runtimeSpec", "process", "user"];
    let status = ["status", "user", "linux"];
    of_user(tree, &spec, ["uid", "gid", "additionalGids"])
        .or_else(|| of_user(tree, &status, ["uid", "gid", "supplementalGroups"]))
}

fn of_user(tree: &Tree, path: &[&str], names: [&str; 3]) -> Option<String> {
    let at = tree.find(path)?;
    let [uid, gid] = [names[0], names[1]].map(|name| tree.shown(tree.child(at, name)?));
    let uid = uid?;
    let groups = tree.child(at, names[2]);
    let groups = groups.into_iter().flat_map(|at| tree.children(at));
    let groups: Vec<&str> = groups
        .filter_map(|at| tree.shown(at))
        .filter(|group| Some(*group) != gid)
        .collect();
    let root = if uid == "0" { "0 (root)" } else { uid };
    let more = if groups.is_empty() {
        String::new()
    } else {
        format!(", also in {}", groups.join(", "))
    };
    Some(format!("{root}, group {}{more}", gid.unwrap_or("unknown")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(50_000, 100_000, "500m CPU")]
    #[case(100_000, 100_000, "1 CPU")]
    #[case(150_000, 100_000, "1.5 CPU")]
    #[case(51, 1024, "49m CPU")]
    #[case(1, 0, "1 CPU")]
    fn parts_of_cpus(#[case] part: i64, #[case] whole: i64, #[case] expected: &str) {
        assert_eq!(cpus(part, whole), expected);
    }

    #[test]
    fn commands_can_be_pasted() {
        let args = ["/bin/sh", "-c", "echo 'a b'; exit 1", "", "--x=<masked>"];
        let line = r"/bin/sh -c 'echo '\''a b'\''; exit 1' '' --x=<masked>";
        assert_eq!(command_line(&args), line);
    }

    #[test]
    fn quantities() {
        assert_eq!(quantity(i64::MAX), "none");
        assert_eq!(quantity(-1), "none");
        assert!(quantity(67_108_864).ends_with("(67108864 bytes)"));
    }
}
