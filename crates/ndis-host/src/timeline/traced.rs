//! What drivers traced meanwhile: TraceLogging events, on the clock of the calls.

use std::fmt::Write as _;

use serde::Serialize;

use super::events::nanoseconds;
use super::page::escape;
use super::renamed;
use crate::nt::etw;

/// An event that a driver traced.
#[derive(Clone, Debug, Serialize)]
pub struct Traced {
    /// When it was written: nanoseconds since the host started.
    pub at_ns: u64,
    /// Its provider's name.
    pub provider: String,
    /// Its level's name.
    pub level: &'static str,
    /// Its keywords, in hexadecimal.
    pub keywords: String,
    /// Its name and its fields, as a line.
    pub text: String,
    /// The name of the thread that wrote it.
    pub thread: String,
    /// The IRQL at which it was written, by its name.
    pub irql: String,
    /// It tells of an error.
    pub failed: bool,
}

/// What was traced, with devices called what people call them.
pub(super) fn of(events: &[etw::Event], names: &[(String, String)]) -> Vec<Traced> {
    let traced = |event: &etw::Event| Traced {
        at_ns: nanoseconds(event.at),
        provider: event.provider_name.clone(),
        level: event.descriptor.level_name(),
        keywords: format!("{:#x}", event.descriptor.keyword),
        text: renamed(&event.line(), names),
        thread: event.thread.clone(),
        irql: event.irql.to_string(),
        failed: matches!(event.descriptor.level, 1 | 2),
    };
    events.iter().map(traced).collect()
}

/// The table of a page; nothing if nobody listened.
pub(super) fn write(page: &mut String, traced: &[Traced]) -> std::fmt::Result {
    if traced.is_empty() {
        return Ok(());
    }
    writeln!(
        page,
        "<section>\n<h2>Traced events</h2>\n<table class=\"traced\">\n\
         <tr><th>at</th><th>provider</th><th>level</th><th>event</th><th>thread</th></tr>"
    )?;
    for event in traced {
        writeln!(
            page,
            "<tr{}><td>{:.6} s</td><td>{}</td><td>{}</td><td>{}</td><td>{}, {}</td></tr>",
            if event.failed { " class=\"bad\"" } else { "" },
            event.at_ns as f64 / 1e9,
            escape(&event.provider),
            event.level,
            escape(&event.text),
            escape(&event.thread),
            escape(&event.irql),
        )?;
    }
    writeln!(page, "</table>\n</section>")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::nt::etw::trace_logging::Decoded;
    use crate::nt::etw::value::{Field, Value};
    use crate::nt::irql::Irql;

    #[test]
    fn an_event_is_a_row_with_devices_by_their_names() {
        let nic = Field {
            name: "Nic".to_owned(),
            value: Value::Text(r"\Device\nic<0>".to_owned()),
        };
        let event = etw::Event {
            sequence: 1,
            provider: [0; 16],
            provider_name: "mux".to_owned(),
            descriptor: etw::Descriptor {
                level: 2,
                keyword: 0x11,
                ..etw::Descriptor::default()
            },
            data: Vec::new(),
            says: Some(Ok(Decoded {
                name: "Opened".to_owned(),
                fields: vec![nic],
            })),
            at: Duration::from_millis(3),
            thread: "main".to_owned(),
            irql: Irql::DISPATCH,
        };
        let names = [(r"\Device\nic<0>".to_owned(), "trunk<0>".to_owned())];
        let rows = of(&[event], &names);
        assert_eq!(
            (rows[0].at_ns, rows[0].text.as_str()),
            (3_000_000, "Opened Nic=trunk<0>")
        );
        assert_eq!(
            (rows[0].level, rows[0].keywords.as_str(), rows[0].failed),
            ("error", "0x11", true)
        );
        let mut page = String::new();
        write(&mut page, &rows).expect("a String takes it");
        assert!(
            page.contains("<tr class=\"bad\"><td>0.003000 s</td><td>mux</td>"),
            "{page}"
        );
        assert!(page.contains("Nic=trunk&lt;0&gt;"), "{page}");
        assert!(of(&[], &names).is_empty());
    }
}
