//! A little shell, enough to look around: no process stands behind it.

use std::sync::Arc;

use super::super::scenario::ContainerSpec;

const PROMPT: &str = "/ # ";
/// What a shell of critui's says first.
const MARKED: &str = "echo critui $$; ";

/// One command in a container, with what it has said and not been sent.
#[derive(Debug)]
pub(super) struct Shell {
    spec: Arc<ContainerSpec>,
    tty: bool,
    line: Vec<u8>,
    output: Vec<u8>,
    size: (u64, u64),
    last: i32,
    /// `cat` reads until ctrl-d.
    cat: bool,
    ended: Option<i32>,
}

impl Shell {
    /// Starts `command`; `None` if there is no such thing in the image.
    pub fn start(
        spec: Arc<ContainerSpec>,
        command: &[String],
        tty: bool,
        pid: u32,
    ) -> Option<Self> {
        let mut shell = Self {
            spec,
            tty,
            line: Vec::new(),
            output: Vec::new(),
            size: (80, 24),
            last: 0,
            cat: false,
            ended: None,
        };
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        match words[..] {
            _ if !has_shell(&shell.spec) => return None,
            ["sh" | "/bin/sh"] => shell.prompt(),
            ["sh", "-c", script, "sh", line] if script.starts_with(MARKED) => {
                shell.say(&format!("critui {pid}\n"));
                shell.once(line);
            }
            ["sh", "-c", script] if script.starts_with(MARKED) => {
                shell.say(&format!("critui {pid}\n"));
                shell.prompt();
            }
            ["sh" | "/bin/sh", "-c", line] => shell.once(line),
            [first, ..] if knows(first) => shell.once(&words.join(" ")),
            _ => return None,
        }
        Some(shell)
    }

    /// What it has said since.
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    /// Its exit code, once it has one.
    pub fn ended(&self) -> Option<i32> {
        self.ended
    }

    /// Its terminal is gone.
    pub fn hang_up(&mut self) {
        self.ended = Some(129);
    }

    /// Takes a message of the client.
    pub fn hear(&mut self, message: &[u8]) {
        match message.split_first() {
            Some((0, typed)) => typed.iter().for_each(|byte| self.key(*byte)),
            Some((4, json)) => {
                let size: serde_json::Value = serde_json::from_slice(json).unwrap_or_default();
                let of = |name: &str| size[name].as_u64().filter(|cells| *cells > 0);
                if let (Some(columns), Some(rows)) = (of("Width"), of("Height")) {
                    self.size = (columns, rows);
                }
            }
            _ => {}
        }
    }

    fn key(&mut self, byte: u8) {
        if self.ended.is_some() {
            return;
        }
        match byte {
            b'\r' | b'\n' => {
                self.say("\n");
                let line = String::from_utf8_lossy(&self.line).into_owned();
                self.line.clear();
                if self.cat {
                    self.say(&format!("{line}\n"));
                } else {
                    self.run(&line);
                    self.prompt();
                }
            }
            // ctrl-c
            3 => {
                self.say("^C\n");
                self.line.clear();
                self.cat = false;
                self.last = 130;
                self.prompt();
            }
            // ctrl-d
            4 if self.line.is_empty() => {
                if self.cat {
                    self.cat = false;
                    self.prompt();
                } else {
                    self.ended = Some(self.last);
                }
            }
            0x7f | 8 if self.line.is_empty() => {}
            0x7f | 8 => {
                self.line.pop();
                if self.tty {
                    self.output.extend_from_slice(b"\x08 \x08");
                }
            }
            byte if byte >= b' ' => {
                self.line.push(byte);
                if self.tty {
                    self.output.push(byte);
                }
            }
            _ => {}
        }
    }

    /// Runs one line and ends with its code.
    fn once(&mut self, line: &str) {
        self.run(line);
        if !self.cat {
            self.ended = self.ended.or(Some(self.last));
        }
    }

    fn run(&mut self, line: &str) {
        for command in line.split(';') {
            let command = command.replace("$?", &self.last.to_string());
            let words: Vec<&str> = command.split_whitespace().collect();
            if words.is_empty() || self.ended.is_some() {
                continue;
            }
            let (said, code) = self.command(&words);
            self.last = code;
            if !said.is_empty() {
                self.say(&format!("{said}\n"));
            }
        }
    }

    fn command(&mut self, words: &[&str]) -> (String, i32) {
        let said = match words {
            ["exit", rest @ ..] => {
                let code = rest.first().and_then(|code| code.parse().ok());
                self.ended = Some(code.unwrap_or(self.last));
                return (String::new(), self.last);
            }
            [] | ["true" | ":"] => String::new(),
            ["false"] => return (String::new(), 1),
            ["echo", rest @ ..] => rest.join(" "),
            ["stty", "size"] => format!("{} {}", self.size.1, self.size.0),
            ["cat"] => {
                self.cat = true;
                String::new()
            }
            ["cat", "/etc/hostname"] | ["hostname"] => self.spec.name.clone(),
            ["cat", file, ..] => {
                return (
                    format!("cat: can't open '{file}': No such file or directory"),
                    1,
                );
            }
            ["env"] => self.spec.env.join("\n"),
            ["pwd"] => "/".to_owned(),
            ["whoami"] => "root".to_owned(),
            ["ls", ..] => "bin   dev   etc   proc  sys   tmp   var".to_owned(),
            ["ps", ..] => format!(
                "PID   USER     TIME  COMMAND\n    1 root      0:03 {}\n   20 root      0:00 sh",
                self.spec.command.join(" ")
            ),
            ["help"] => "this node is simulated: cat, echo, env, exit, hostname, ls, ps, pwd, \
                         stty size, whoami"
                .to_owned(),
            [other, ..] => return (format!("sh: {other}: not found"), 127),
        };
        (said, 0)
    }

    fn prompt(&mut self) {
        if self.ended.is_none() && !self.cat {
            self.output.extend_from_slice(PROMPT.as_bytes());
        }
    }

    fn say(&mut self, text: &str) {
        let text = if self.tty {
            text.replace('\n', "\r\n")
        } else {
            text.to_owned()
        };
        self.output.extend_from_slice(text.as_bytes());
    }
}

/// Kubernetes' own images hold one program and nothing else.
pub(in crate::demo) fn has_shell(spec: &ContainerSpec) -> bool {
    !spec.image.starts_with("registry.k8s.io/")
}

fn knows(command: &str) -> bool {
    matches!(
        command,
        "true"
            | "false"
            | "echo"
            | "stty"
            | "cat"
            | "hostname"
            | "env"
            | "pwd"
            | "whoami"
            | "ls"
            | "ps"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(image: &str) -> Arc<ContainerSpec> {
        Arc::new(ContainerSpec {
            image: image.to_owned(),
            name: "web".to_owned(),
            ..ContainerSpec::default()
        })
    }

    #[test]
    fn a_terminal_of_its_own() {
        let marked = ["sh", "-c", "echo critui $$; exec sh"].map(str::to_owned);
        let mut shell = Shell::start(spec("nginx"), &marked, true, 31).unwrap();
        assert_eq!(shell.take_output(), b"critui 31\r\n/ # ");
        shell.hear(b"\x04{\"Width\":100,\"Height\":40}");
        shell.hear(b"\0stty sizd\x7fe\r");
        let said = b"stty sizd\x08 \x08e\r\n40 100\r\n/ # ";
        assert_eq!(shell.take_output(), said);
        shell.hear(b"\0exit 7\r");
        assert_eq!(shell.ended(), Some(7));
    }

    #[test]
    fn kubernetes_own_images_have_none() {
        let command = ["sh".to_owned()];
        let image = spec("registry.k8s.io/coredns/coredns:v1.11.1");
        assert!(Shell::start(image, &command, true, 31).is_none());
    }
}
