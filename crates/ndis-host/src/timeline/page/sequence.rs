//! The sequence: lanes from left (the wire) to right (clients), events from top to bottom.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::{cut, duration, escape, lane_class, lane_text, span_class, span_title};
use crate::timeline::{Event, SpanKind, Timeline, Way};

/// Draws it.
pub(super) fn write(page: &mut String, timeline: &Timeline) -> std::fmt::Result {
    let lanes = &timeline.lanes;
    let events = &timeline.events;
    let width = lane_x(lanes.len()) + THREAD;
    let height = events.len() as f64 * ROW + 2.0 * MARGIN;
    writeln!(
        page,
        "<svg id=\"lanes\" xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"44\" role=\"img\" \
         aria-label=\"Lanes\">"
    )?;
    writeln!(page, "<text class=\"what\" x=\"8\" y=\"32\">time</text>")?;
    for lane in lanes {
        let (name, what) = lane_text(lane);
        let x = lane_x(lane.id);
        writeln!(
            page,
            "<g class=\"{}\"><title>{}</title><rect x=\"{:.0}\" y=\"4\" width=\"{:.0}\" height=\"36\" rx=\"4\"/>\
             <text class=\"head\" x=\"{x:.0}\" y=\"19\">{}</text><text class=\"head what\" x=\"{x:.0}\" y=\"33\">{}</text></g>",
            lane_class(lane),
            escape(&lane.name),
            x - LANE / 2.0 + 4.0,
            LANE - 8.0,
            escape(&cut(&name, 20)),
            escape(&cut(&what, 24))
        )?;
    }
    writeln!(page, "</svg>")?;
    writeln!(
        page,
        "<svg id=\"sequence\" xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         data-row=\"{ROW}\" data-margin=\"{MARGIN}\">\n{ARROWS}"
    )?;
    for lane in lanes {
        let x = lane_x(lane.id);
        writeln!(
            page,
            "<line class=\"lane {}\" x1=\"{x:.0}\" x2=\"{x:.0}\" y1=\"0\" y2=\"{height:.0}\"/>",
            lane_class(lane)
        )?;
    }
    write_spans(page, timeline)?;
    let begin = events.first().map_or(0, |event| event.began_ns);
    for (row, event) in events.iter().enumerate() {
        write_event(page, event, row, begin, lane_x(lanes.len()))?;
    }
    writeln!(page, "</svg>")
}

/// What lasts, beside its lane. The script moves them with their rows.
fn write_spans(page: &mut String, timeline: &Timeline) -> std::fmt::Result {
    let events = &timeline.events;
    let row: HashMap<u64, usize> = events
        .iter()
        .enumerate()
        .map(|(row, event)| (event.id, row))
        .collect();
    let y = |row: usize| MARGIN + row as f64 * ROW + ROW / 2.0;
    for span in &timeline.spans {
        let Some(&from) = row.get(&span.from) else {
            continue;
        };
        let to = span.to.and_then(|to| row.get(&to).copied());
        let last = to.unwrap_or(events.len().saturating_sub(1));
        let (offset, width) = match (span.kind, span.operation) {
            (SpanKind::State, "running") => (-3.0, 6.0),
            (SpanKind::State, _) => (-1.5, 3.0),
            (SpanKind::Sends, _) => (6.0, 4.0),
            _ => (-9.0, 5.0),
        };
        let (top, bottom) = (y(from), y(last.max(from)));
        writeln!(
            page,
            "<rect class=\"span {}{}\" data-from=\"{from}\" data-to=\"{last}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{width}\" \
             height=\"{:.1}\" rx=\"1.5\"><title>{}</title></rect>",
            span_class(span),
            if to.is_none() && span.kind != SpanKind::State {
                " endless"
            } else {
                ""
            },
            lane_x(span.lane) + offset,
            top - 4.0,
            bottom - top + 8.0,
            escape(&span_title(span, &timeline.lanes[span.lane])),
        )?;
    }
    Ok(())
}

fn write_event(
    page: &mut String,
    event: &Event,
    row: usize,
    begin: u64,
    right: f64,
) -> std::fmt::Result {
    let (from, to) = (lane_x(event.from), lane_x(event.to));
    let head = if to > from { -5.0 } else { 5.0 };
    let mut class = String::from(match event.kind {
        Way::Call => "row call",
        Way::Callback => "row callback",
    });
    for (is, name) in [
        (event.data, " data"),
        (event.built_in, " built-in"),
        (event.failed, " bad"),
    ] {
        if is {
            class.push_str(name);
        }
    }
    let status = event.status.as_deref().unwrap_or_default();
    let search = format!(
        "{} {} {} {} {status} {}",
        event.name, event.object, event.driver, event.thread, event.irql
    );
    writeln!(
        page,
        "<g id=\"e{}\" class=\"{class}\" data-text=\"{}\" transform=\"translate(0,{:.0})\"><title>{}</title>\
         <rect class=\"hit\" width=\"{:.0}\" height=\"{ROW}\"/><text class=\"time\" x=\"8\" y=\"14\">{}</text>\
         <path class=\"arrow\" d=\"M{from:.0} 10H{:.0}\" marker-end=\"url(#head)\"/>",
        event.id,
        escape(&search.to_lowercase()),
        MARGIN + row as f64 * ROW,
        escape(&event_title(event)),
        right + THREAD,
        duration(event.began_ns.saturating_sub(begin)),
        to + head,
    )?;
    let mut label = event.name.to_owned();
    if event.calls > 1 {
        let _ = write!(label, " ×{}", event.calls);
    }
    write!(
        page,
        "<text class=\"label\" x=\"{:.0}\" y=\"7\">{}",
        from.min(to) + 12.0,
        escape(&label)
    )?;
    if event.nbls > 1 {
        write!(page, " <tspan class=\"note\">{} NBLs</tspan>", event.nbls)?;
    }
    if let Some(note) = short_status(status) {
        let class = if event.failed { "fail" } else { "note" };
        write!(page, " <tspan class=\"{class}\">{note}</tspan>")?;
    }
    if let Some(code) = event.object.split(' ').find(|word| is_code(word)) {
        write!(page, " <tspan class=\"note\">{}</tspan>", escape(code))?;
    }
    page.push_str("</text>");
    if event.irql != "PASSIVE_LEVEL" {
        let level = event.irql.trim_end_matches("_LEVEL");
        write!(
            page,
            "<text class=\"irql\" x=\"86\" y=\"14\">{}</text>",
            escape(level)
        )?;
    }
    writeln!(
        page,
        "<text class=\"thread\" x=\"{:.0}\" y=\"14\">{}</text></g>",
        right + 20.0,
        escape(&cut(&event.thread, 22))
    )
}

fn event_title(event: &Event) -> String {
    let way = match event.kind {
        Way::Call => format!("{} calls NDIS", event.driver),
        Way::Callback => format!("NDIS calls {}", event.driver),
    };
    let mut title = format!("{}\n{}\n{way} at {}", event.name, event.object, event.irql);
    let _ = write!(title, "\nthread {}, {} deep", event.thread, event.depth);
    if event.threads > 1 {
        let _ = write!(title, ", and {} others", event.threads - 1);
    }
    if event.calls > 1 {
        let _ = write!(title, "\n{} calls", event.calls);
    }
    if event.nbls != 0 {
        let _ = write!(title, "\n{} NBLs", event.nbls);
    }
    let _ = match event.returned_ns {
        Some(at) => write!(
            title,
            "\ntook {}",
            duration(at.saturating_sub(event.began_ns))
        ),
        None => write!(title, "\ndid not return"),
    };
    if let Some(status) = &event.status {
        let _ = write!(title, "\n{status}");
    }
    title
}

/// What of a status is shown beside the name: success is not worth it.
fn short_status(status: &str) -> Option<&str> {
    match status {
        "" | "NDIS_STATUS_SUCCESS" => None,
        other => Some(other.strip_prefix("NDIS_STATUS_").unwrap_or(other)),
    }
}

/// Which word of an object tells requests, events and statuses apart.
fn is_code(word: &str) -> bool {
    ["OID_", "NetEvent", "NDIS_STATUS_", "0x"]
        .iter()
        .any(|prefix| word.starts_with(prefix))
}

fn lane_x(lane: usize) -> f64 {
    TIMES + LANE / 2.0 + lane as f64 * LANE
}

const TIMES: f64 = 150.0;
const LANE: f64 = 168.0;
const THREAD: f64 = 260.0;
const ROW: f64 = 20.0;
const MARGIN: f64 = 10.0;

const ARROWS: &str = r#"<defs><marker id="head" markerWidth="7" markerHeight="7" refX="2" refY="3.5" orient="auto"><path class="tip" d="M0 0L7 3.5L0 7z"/></marker></defs>"#;
