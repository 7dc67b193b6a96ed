//! What an exit code says, on Linux.

/// The meaning of an exit code in a few words; empty where the code is the application's own.
pub fn meaning(code: i32) -> &'static str {
    match code {
        0 => "completed",
        126 => "not executable",
        127 => "command not found",
        128 => "could not start",
        129 => "SIGHUP",
        130 => "SIGINT",
        131 => "SIGQUIT",
        132 => "SIGILL, wrong CPU?",
        134 => "SIGABRT",
        135 => "SIGBUS",
        136 => "SIGFPE",
        137 => "SIGKILL",
        139 => "SIGSEGV",
        141 => "SIGPIPE",
        143 => "SIGTERM",
        159 => "SIGSYS, seccomp?",
        255 => "unknown or -1",
        _ => "",
    }
}

/// What a failed start says in a few words, from the runtime's message.
pub fn start_failure(message: &str) -> &'static str {
    const CAUSES: [(&str, &str); 8] = [
        ("error mounting", "mount failed"),
        ("not a directory", "mount: not a directory"),
        ("executable file not found", "command not found"),
        ("permission denied", "permission denied"),
        ("exec format error", "wrong CPU architecture"),
        ("no such file or directory", "no such file"),
        ("seccomp", "seccomp profile"),
        ("apparmor", "AppArmor profile"),
    ];
    let cause = CAUSES.iter().find(|(mark, _)| message.contains(mark));
    match cause.map_or("could not start", |(_, words)| words) {
        "no such file" if message.contains("exec") => "command not found",
        words => words,
    }
}
