//! The status channel: how a command ended, as a `Status` object of the Kubernetes API in JSON.

use std::fmt;

use serde_json::Value;

use super::told;
use crate::text::Text;

/// How a command ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ending {
    /// With this code; 0 is also what attach says, whatever the container's code.
    Exit(i32),
    /// It was not started, or how it ended is not known; the runtime's words.
    Failed(Text),
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exit(code) => write!(f, "exit code {code}"),
            Self::Failed(words) => words.fmt(f),
        }
    }
}

/// What a message on the status channel means.
pub(super) fn decode(payload: &[u8]) -> Ending {
    let Ok(status) = serde_json::from_slice::<Value>(payload) else {
        // Protocols before v4 said it in plain text, and nothing when all went well.
        let words = told(String::from_utf8_lossy(payload).trim());
        return words.non_empty().map_or(Ending::Exit(0), Ending::Failed);
    };
    let word = |key: &str| status[key].as_str().unwrap_or_default();
    if word("status") == "Success" {
        return Ending::Exit(0);
    }
    if word("reason") == "NonZeroExitCode"
        && let Some(code) = exit_code(&status)
    {
        return Ending::Exit(code);
    }
    let words = told(word("message"));
    Ending::Failed(
        words
            .non_empty()
            .unwrap_or_else(|| "it failed, and the runtime does not say why".into()),
    )
}

fn exit_code(status: &Value) -> Option<i32> {
    let causes = status["details"]["causes"].as_array()?;
    let cause = causes.iter().find(|cause| cause["reason"] == "ExitCode")?;
    cause["message"].as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const SEVEN: &str = r#"{"metadata":{},"status":"Failure","message":"command terminated with non-zero exit code: error executing command [sh -c exit 7], exit code 7","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"7"}]}}"#;

    fn failed(words: &str) -> Ending {
        Ending::Failed(words.into())
    }

    #[rstest]
    #[case(r#"{"metadata":{},"status":"Success"}"#, Ending::Exit(0))]
    #[case(r#"{"status":"Success"}"#, Ending::Exit(0))]
    #[case(SEVEN, Ending::Exit(7))]
    #[case(
        r#"{"status":"Failure","message":"no such file","reason":"InternalError","code":500}"#,
        failed("no such file")
    )]
    #[case(
        r#"{"status":"Failure","message":"app --password hunter2: no such file","code":500}"#,
        failed("app --password <masked> no such file")
    )]
    // A status without a code, and codes that are none.
    #[case(
        r#"{"status":"Failure","message":"m","reason":"NonZeroExitCode"}"#,
        failed("m")
    )]
    #[case(
        r#"{"status":"Failure","message":"m","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"seven"}]}}"#,
        failed("m")
    )]
    #[case(
        r#"{"status":"Failure","message":"m","reason":"NonZeroExitCode","details":{"causes":7}}"#,
        failed("m")
    )]
    #[case("{}", failed("it failed, and the runtime does not say why"))]
    #[case("[]", failed("it failed, and the runtime does not say why"))]
    #[case("", Ending::Exit(0))]
    #[case("plain words of an old server", failed("plain words of an old server"))]
    fn statuses(#[case] payload: &str, #[case] expected: Ending) {
        assert_eq!(decode(payload.as_bytes()), expected);
    }

    #[test]
    fn hostile_words_are_sanitised() {
        let json = r#"{"status":"Failure","message":"\u001b[2Jgone"}"#;
        let Ending::Failed(words) = decode(json.as_bytes()) else {
            panic!("it failed");
        };
        assert!(!words.as_str().contains('\x1b'));
        assert!(matches!(decode(b"\xff\xfe"), Ending::Failed(_)));
    }
}
