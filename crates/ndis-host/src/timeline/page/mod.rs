//! The page: two drawings, and a filter.
//!
//! The *overview* has a row for each lane and the events from left to right: one sees which edge is
//! up and running when, and which operations pend. The *sequence* has a column for each lane and a
//! row for each event, an arrow from lane to lane. Both are complete without the script, which only
//! hides rows and closes the gaps.
//!
//! Not in here: what is drawn (`events`, `spans`).

mod overview;
mod sequence;

use std::fmt::Write as _;

use super::{Lane, LaneKind, Span, SpanKind, Timeline, traced};

/// The page.
pub(super) fn html(timeline: &Timeline) -> String {
    let mut page = String::new();
    // Writing to a String does not fail.
    let _ = write_page(&mut page, timeline);
    page
}

fn write_page(page: &mut String, timeline: &Timeline) -> std::fmt::Result {
    let (events, lanes) = (timeline.events.len(), timeline.lanes.len());
    let calls: usize = timeline.events.iter().map(|event| event.calls).sum();
    writeln!(
        page,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>NDIS timeline</title>\n<style>\n{}</style>\n</head>\n<body>",
        include_str!("style.css")
    )?;
    writeln!(
        page,
        "<header>\n<h1>NDIS timeline</h1>\n<p>{calls} calls in {events} rows, {lanes} lanes. Calls of \
         the data path that follow each other closely are one row with a count.</p>"
    )?;
    let dropped = timeline.dropped;
    if dropped.lifecycle + dropped.data != 0 {
        writeln!(
            page,
            "<p class=\"warning\">The beginning is incomplete: {} calls of the drivers' life and {} of \
             the data path were dropped, because more came than are kept.</p>",
            dropped.lifecycle, dropped.data
        )?;
    }
    legend(page)?;
    writeln!(page, "</header>\n<section>\n<h2>Overview</h2>")?;
    overview::write(page, timeline)?;
    writeln!(page, "</section>\n<section>\n<h2>Sequence</h2>\n{FILTER}")?;
    sequence::write(page, timeline)?;
    page.push_str("</section>\n");
    traced::write(page, &timeline.traced)?;
    writeln!(
        page,
        "<script>\n{}</script>\n</body>\n</html>",
        include_str!("script.js")
    )
}

fn legend(page: &mut String) -> std::fmt::Result {
    page.push_str("<p class=\"legend\">");
    for (class, text) in LEGEND {
        write!(page, "<span><i class=\"{class}\"></i>{text}</span> ")?;
    }
    page.push_str("</p>\n");
    Ok(())
}

/// What a lane is called: in one line, and what it is in a second.
fn lane_text(lane: &Lane) -> (String, String) {
    let (protocol, adapter) = lane
        .name
        .split_once(" on ")
        .unwrap_or((lane.driver.as_str(), lane.name.as_str()));
    match lane.kind {
        LaneKind::Ndis => ("NDIS".into(), "no adapter".into()),
        LaneKind::Driver => (lane.name.clone(), "driver as a whole".into()),
        LaneKind::Nic => (lane.name.clone(), "wire and NIC".into()),
        LaneKind::Miniport => (lane.name.clone(), format!("{} miniport", lane.driver)),
        LaneKind::Adapter => (lane.name.clone(), "NDIS adapter".into()),
        LaneKind::Filter => (lane.name.clone(), "filter module".into()),
        LaneKind::Protocol => (protocol.to_owned(), format!("protocol on {adapter}")),
        LaneKind::Client => (protocol.to_owned(), format!("client on {adapter}")),
    }
}

fn lane_class(lane: &Lane) -> &'static str {
    match lane.kind {
        LaneKind::Ndis => "l-ndis",
        LaneKind::Driver => "l-driver",
        LaneKind::Nic => "l-nic",
        LaneKind::Miniport => "l-miniport",
        LaneKind::Adapter => "l-adapter",
        LaneKind::Filter => "l-filter",
        LaneKind::Protocol => "l-protocol",
        LaneKind::Client => "l-client",
    }
}

/// The colour of a span.
fn span_class(span: &Span) -> &'static str {
    match (span.kind, span.operation) {
        (SpanKind::Sends, _) => "s-sends",
        (SpanKind::State, "running") => "s-running",
        (SpanKind::State, _) => "s-up",
        (_, "bind" | "open" | "initialize" | "load" | "attach") => "s-begin",
        (_, "unbind" | "close" | "halt" | "unload" | "detach" | "uninstall") => "s-end",
        (_, "pause" | "restart" | "reset" | "event") => "s-change",
        _ => "s-request",
    }
}

fn span_title(span: &Span, lane: &Lane) -> String {
    let mut title = format!("{} at {}", span.operation, lane.name);
    if span.count != 0 {
        let _ = write!(title, "\n{} NBLs", span.count);
    }
    if span.pended && span.kind == SpanKind::Operation {
        title.push_str("\npended");
    }
    match (span.ended_ns, &span.status) {
        (None, _) => title.push_str("\ndid not end"),
        (Some(ended), status) => {
            let _ = write!(title, "\n{}", duration(ended.saturating_sub(span.began_ns)));
            if let Some(status) = status {
                let _ = write!(title, "\n{status}");
            }
        }
    }
    title
}

/// A time that people can compare: `1.234 ms`.
fn duration(nanoseconds: u64) -> String {
    let value = nanoseconds as f64;
    match nanoseconds {
        0..1_000 => format!("{nanoseconds} ns"),
        1_000..1_000_000 => format!("{:.1} µs", value / 1e3),
        1_000_000..1_000_000_000 => format!("{:.3} ms", value / 1e6),
        _ => format!("{:.3} s", value / 1e9),
    }
}

/// Text for HTML and SVG, in elements and in attributes.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// A text cut to fit.
fn cut(text: &str, characters: usize) -> String {
    if text.chars().count() <= characters {
        return text.to_owned();
    }
    let kept: String = text.chars().take(characters.saturating_sub(1)).collect();
    format!("{kept}…")
}

const LEGEND: [(&str, &str); 8] = [
    ("s-begin", "load, bind, open, initialize"),
    ("s-end", "unbind, close, halt, unload"),
    ("s-change", "pause, restart, event"),
    ("s-request", "OID request"),
    ("s-sends", "sends that are out"),
    ("s-running", "running"),
    ("s-up", "up, not running"),
    ("failed", "failed"),
];

const FILTER: &str = r#"<form id="filter" onsubmit="return false">
<label>Show rows with <input id="text" type="search" placeholder="function, object, thread, status"></label>
<label><input id="data" type="checkbox" checked> data path</label>
<label><input id="built-in" type="checkbox" checked> built-in drivers</label>
<label><input id="failed" type="checkbox"> failures only</label>
<output id="shown"></output>
</form>"#;
