//! The overview: lanes from top (clients) to bottom (the wire), events from left to right.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::{duration, escape, lane_class, lane_text, span_class, span_title};
use crate::timeline::{Event, SpanKind, Timeline};

/// Draws it.
pub(super) fn write(page: &mut String, timeline: &Timeline) -> std::fmt::Result {
    let events = &timeline.events;
    let lanes = &timeline.lanes;
    // Lanes on which nothing lasts have nothing to show here.
    let shown: Vec<usize> = lanes
        .iter()
        .map(|lane| lane.id)
        .filter(|&lane| {
            let fails = |event: &&Event| event.failed && event.from.max(event.to) == lane;
            timeline.spans.iter().any(|span| span.lane == lane)
                || events.iter().any(|event| fails(&event))
        })
        .collect();
    let step = (WIDTH / events.len().max(1) as f64).min(WIDEST);
    let x = |index: usize| LABELS + index as f64 * step;
    // Who is above stands above.
    let y = |lane: usize| {
        let below = shown.partition_point(|&other| other <= lane);
        TOP + (shown.len() - below) as f64 * ROW
    };
    let index: HashMap<u64, usize> = events
        .iter()
        .enumerate()
        .map(|(index, event)| (event.id, index))
        .collect();
    let bottom = TOP + shown.len() as f64 * ROW;
    writeln!(
        page,
        "<svg id=\"overview\" xmlns=\"http://www.w3.org/2000/svg\" width=\"{:.0}\" height=\"{:.0}\" role=\"img\" \
         aria-label=\"Overview: lanes and what lasts\">",
        LABELS + WIDTH + 20.0,
        bottom + 24.0
    )?;
    for lane in shown.iter().map(|&id| &lanes[id]) {
        let (name, what) = lane_text(lane);
        let middle = y(lane.id) + ROW / 2.0;
        writeln!(
            page,
            "<text class=\"name {}\" x=\"{:.0}\" y=\"{:.1}\">{} <tspan class=\"what\">{}</tspan></text>\
             <line class=\"rule\" x1=\"{LABELS}\" x2=\"{:.0}\" y1=\"{middle:.1}\" y2=\"{middle:.1}\"/>",
            lane_class(lane),
            LABELS - 8.0,
            middle + 4.0,
            escape(&name),
            escape(&what),
            LABELS + WIDTH
        )?;
    }
    // States lie under operations, and short operations upon long ones.
    let mut spans: Vec<_> = timeline.spans.iter().collect();
    spans.sort_by_key(|span| {
        let rank = match (span.kind, span.operation) {
            (SpanKind::State, "running") => 1,
            (SpanKind::State, _) => 0,
            _ => 2,
        };
        let from = index.get(&span.from).copied().unwrap_or(0);
        let to = span.to.and_then(|to| index.get(&to).copied());
        (
            rank,
            std::cmp::Reverse(to.unwrap_or(events.len()) - from.min(events.len())),
        )
    });
    for span in spans {
        let Some(&from) = index.get(&span.from) else {
            continue;
        };
        let to = span.to.and_then(|to| index.get(&to).copied());
        let (left, right) = (x(from), x(to.unwrap_or(events.len()).max(from)));
        let width = (right - left).max(step).max(2.0);
        let state = span.kind == SpanKind::State;
        let inset = match (state, span.operation) {
            (true, "running") => 8.0,
            (true, _) => 10.0,
            _ => 3.0,
        };
        write!(
            page,
            "<a href=\"#e{}\"><rect class=\"{}{}\" x=\"{left:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{:.1}\" \
             rx=\"2\"><title>{}</title></rect>",
            span.from,
            span_class(span),
            if span.to.is_none() && !state {
                " endless"
            } else {
                ""
            },
            y(span.lane) + inset,
            ROW - 2.0 * inset,
            escape(&span_title(span, &lanes[span.lane])),
        )?;
        let characters = span.operation.len() as f64;
        if !state && width > characters * 6.0 + 6.0 {
            write!(
                page,
                "<text class=\"in\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                left + 3.0,
                y(span.lane) + ROW / 2.0 + 3.5,
                span.operation
            )?;
        }
        page.push_str("</a>\n");
    }
    for (at, event) in events.iter().enumerate().filter(|(_, event)| event.failed) {
        let lane = event.from.max(event.to);
        writeln!(
            page,
            "<a href=\"#e{}\"><path class=\"failed\" d=\"M{:.1} {:.1}l4 7h-8z\"><title>{} {}</title></path></a>",
            event.id,
            x(at) + step / 2.0,
            y(lane),
            event.name,
            escape(event.status.as_deref().unwrap_or_default())
        )?;
    }
    let begin = events.first().map_or(0, |event| event.began_ns);
    for tick in 0..=TICKS {
        let at = (events.len().saturating_sub(1)) * tick / TICKS;
        let Some(event) = events.get(at) else {
            continue;
        };
        writeln!(
            page,
            "<text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            x(at),
            bottom + 16.0,
            duration(event.began_ns.saturating_sub(begin))
        )?;
    }
    writeln!(page, "</svg>")
}

const LABELS: f64 = 250.0;
const WIDTH: f64 = 1100.0;
/// An event is not wider than this.
const WIDEST: f64 = 24.0;
const ROW: f64 = 26.0;
const TOP: f64 = 6.0;
const TICKS: usize = 8;
