//! What shells and `man` read: completions and manual pages, from the definition of the command
//! line.

use std::io;

use clap::CommandFactory as _;
use clap_complete::aot;
use clap_mangen::Man;

use crate::cli::{Cli, Shell};

/// The script with which `shell` completes.
pub fn completion(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    let shell = match shell {
        Shell::Bash => aot::Shell::Bash,
        Shell::Zsh => aot::Shell::Zsh,
        Shell::Fish => aot::Shell::Fish,
    };
    aot::generate(shell, &mut Cli::command(), "critui", &mut script);
    script
}

/// The manual page of the program, or of its command `name`, as roff.
///
/// # Errors
/// One line that names the commands there are.
pub fn man(name: Option<&str>) -> Result<Vec<u8>, String> {
    let mut cli = Cli::command();
    // Flags that are good for all commands come into them.
    cli.build();
    let page = match name {
        None => Man::new(cli).title("CRITUI"),
        Some(name) => {
            let Some(command) = cli.find_subcommand(name) else {
                let names: Vec<&str> = cli.get_subcommands().map(clap::Command::get_name).collect();
                return Err(format!(
                    "{name:?} is no command: there are {}",
                    names.join(", ")
                ));
            };
            let title = format!("CRITUI-{}", name.to_uppercase());
            Man::new(command.clone().display_name(format!("critui-{name}"))).title(title)
        }
    };
    let mut roff = Vec::new();
    let written: io::Result<()> = page.manual("critui").render(&mut roff);
    written.map_err(|error| error.to_string())?;
    Ok(roff)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(Shell::Bash, "complete -F _critui")]
    #[case(Shell::Zsh, "#compdef critui")]
    #[case(Shell::Fish, "complete -c critui")]
    fn each_shell_gets_its_own(#[case] shell: Shell, #[case] part: &str) {
        let script = String::from_utf8(completion(shell)).unwrap();
        assert!(script.contains(part), "{script}");
        for name in ["snapshot", "read-only", "demo-node", "host-root"] {
            assert!(script.contains(name), "{name}");
        }
    }

    #[test]
    fn every_command_has_a_page() {
        let page = String::from_utf8(man(None).unwrap()).unwrap();
        assert!(page.contains(".TH CRITUI 1") && page.contains("\\-\\-read\\-only"));
        for command in Cli::command().get_subcommands() {
            let page = man(Some(command.get_name())).unwrap();
            let page = String::from_utf8(page).unwrap();
            assert!(page.contains(".SH SYNOPSIS"), "{page}");
            assert!(page.contains("\\-\\-host\\-root"), "{page}");
        }
        let error = man(Some("frob")).unwrap_err();
        assert!(error.starts_with("\"frob\" is no command: there are config, "));
    }
}
