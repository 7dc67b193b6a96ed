//! The report on paper.

use std::io::{self, Write};

use super::{Report, Usage};
use crate::cli::Form;
use crate::format::bytes;
use crate::text::Text;
use crate::widgets::text::width;

fn dash() -> String {
    "-".to_owned()
}

const NUMBERS: [&str; 5] = ["CPU", "%CPU LIMIT", "MEM", "MEM LIMIT", "%MEM LIMIT"];

impl Usage {
    /// CPU, of its limit, memory, its limit, of it.
    fn cells(&self) -> [String; 5] {
        let share = |percent: Option<u32>| percent.map_or_else(dash, |p| format!("{p}%"));
        let size = |count: Option<u64>| count.map_or_else(dash, bytes);
        [
            self.cpu_millicores
                .map_or_else(dash, |milli| format!("{milli}m")),
            share(self.cpu_percent_of_limit),
            size(self.memory_working_set_bytes),
            size(self.memory_limit_bytes),
            share(self.memory_percent_of_limit),
        ]
    }
}

impl Report {
    /// What could not be asked, each in a line.
    pub fn notes(&self) -> &[Text] {
        &self.notes
    }

    /// Writes the report; `among` others, so that each can be told from the next.
    pub fn write(&self, form: Form, among: bool, out: &mut dyn Write) -> io::Result<()> {
        match form {
            Form::Json if among => {
                serde_json::to_writer(&mut *out, self)?;
                writeln!(out)
            }
            Form::Json => {
                serde_json::to_writer_pretty(&mut *out, self)?;
                writeln!(out)
            }
            Form::Yaml => {
                if among {
                    writeln!(out, "---")?;
                }
                serde_yaml::to_writer(out, self).map_err(io::Error::other)
            }
            Form::Table => self
                .lines()
                .iter()
                .try_for_each(|line| writeln!(out, "{line}")),
        }
    }

    /// The table in lines, heads first.
    pub fn lines(&self) -> Vec<String> {
        let text = |text: &Option<Text>| text.as_ref().map_or_else(dash, ToString::to_string);
        if self.pods.is_empty() {
            let rows = self.containers.iter().map(|row| {
                let names = [text(&row.namespace), text(&row.pod), row.name.to_string()];
                let layer = row.writable_layer_bytes.map_or_else(dash, bytes);
                names
                    .into_iter()
                    .chain(row.usage.cells())
                    .chain([layer])
                    .collect()
            });
            return aligned(
                &["NAMESPACE", "POD", "CONTAINER"],
                &["DISK"],
                rows.collect(),
            );
        }
        let rate = |rate: Option<u64>| rate.map_or_else(dash, |rate| format!("{}/s", bytes(rate)));
        let rows = self.pods.iter().map(|row| {
            let names = [text(&row.namespace), text(&row.name)];
            let network = [
                rate(row.network_received_bytes_per_second),
                rate(row.network_sent_bytes_per_second),
            ];
            names
                .into_iter()
                .chain(row.usage.cells())
                .chain(network)
                .collect()
        });
        aligned(
            &["NAMESPACE", "POD"],
            &["NET IN", "NET OUT"],
            rows.collect(),
        )
    }
}

/// Names to the left, numbers to the right, two spaces apart.
fn aligned(names: &[&str], others: &[&str], rows: Vec<Vec<String>>) -> Vec<String> {
    let heads = names.iter().chain(&NUMBERS).chain(others);
    let heads: Vec<String> = heads.map(|head| (*head).to_owned()).collect();
    let lines: Vec<Vec<String>> = std::iter::once(heads).chain(rows).collect();
    let widest = |place: usize| {
        lines
            .iter()
            .map(|line| width(&line[place]))
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<u16> = (0..lines[0].len()).map(widest).collect();
    let line = |line: &Vec<String>| {
        let mut text = String::new();
        for (place, (cell, room)) in line.iter().zip(&widths).enumerate() {
            let pad = " ".repeat(usize::from(room - width(cell)));
            let left = place < names.len();
            let (before, after) = if left { ("", &*pad) } else { (&*pad, "") };
            text.extend([before, cell, after, "  "]);
        }
        text.trim_end().to_owned()
    };
    lines.iter().map(line).collect()
}
