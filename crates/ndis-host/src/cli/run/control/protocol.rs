//! What programs ask a running lab, and how they are answered.
//!
//! A question is an object in one line: `version` (1), `do` (what), its arguments, and an `id` if the
//! program wants one back. The answer has the same `version` and `id`, and either `ok` or `error`, a text.
//!
//! | `do` | arguments | `ok` |
//! |---|---|---|
//! | `adapters` | | a list: `device`, `label`, `state`, `is_virtual` |
//! | `control` | `device` (`\\.\name`), `code`, `input` (hexadecimal), `output_length`, `as` (`administrator`, `user`) | `opened`; `status`, `information`, `output` |
//! | `registry-get` | `key`, `name` | `value`, or null |
//! | `registry-set` | `key`, `name`, `value` | null |
//! | `registry-delete` | `key`, `name` | `was_there` |
//! | `device-add` | `label`, `device` if wanted, `values`, `client` (a wire) | `device` |
//! | `device-remove` | `device` (or its label) | null |
//! | `reconfigure` | `protocol`, `above` if one binding is meant | `status` |
//! | `send` | `client`, `frames` (each in hexadecimal) | `statuses` |
//! | `receive` | `nic`, `frames` | null |
//!
//! A `key` is `{"device": …}` or `{"binding": {"protocol": …, "above": …}}`; a value is written as in a
//! lab file. A status is a number of 32 bits without sign.

use std::fmt;

use serde::{Deserialize, Deserializer, de};
use serde_json::{Map, Value, json};

use crate::lab::file::{DeviceName, RegistryValue, RegistryValues, WireSection};

/// One question.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Question {
    /// Which network devices are there.
    Adapters {},
    /// A device control request to a driver's device.
    Control {
        device: String,
        code: u32,
        #[serde(default)]
        input: Hex,
        #[serde(default)]
        output_length: u32,
        #[serde(default, rename = "as")]
        who: Who,
    },
    RegistryGet {
        key: Key,
        name: String,
    },
    RegistrySet {
        key: Key,
        name: String,
        value: RegistryValue,
    },
    RegistryDelete {
        key: Key,
        name: String,
    },
    /// The device of a virtual miniport comes.
    DeviceAdd {
        label: String,
        #[serde(default)]
        device: Option<DeviceName>,
        #[serde(default)]
        values: RegistryValues,
        #[serde(default)]
        client: Option<WireSection>,
    },
    /// It goes.
    DeviceRemove {
        device: String,
    },
    /// A protocol is told that its configuration changed.
    Reconfigure {
        protocol: String,
        #[serde(default)]
        above: Option<String>,
    },
    /// A client sends frames, in one chain.
    Send {
        client: String,
        frames: Vec<Hex>,
    },
    /// Frames come in by the cable of a NIC.
    Receive {
        nic: String,
        frames: Vec<Hex>,
    },
}

/// Whose values.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(super) enum Key {
    /// The adapter parameters of a device, by its name or label.
    Device(String),
    /// What a protocol's service has for a device.
    Binding(Binding),
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub(super) struct Binding {
    pub(super) protocol: String,
    pub(super) above: String,
}

/// Who opens a device.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(super) enum Who {
    #[default]
    Administrator,
    User,
}

/// Bytes, two hexadecimal digits each.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Hex(pub(super) Vec<u8>);

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits: Option<Vec<u8>> = text
            .chars()
            .map(|it| it.to_digit(16).map(|digit| digit as u8))
            .collect();
        let digits = digits.filter(|digits| digits.len().is_multiple_of(2));
        let digits =
            digits.ok_or_else(|| de::Error::custom("bytes are pairs of hexadecimal digits"))?;
        Ok(Self(
            digits
                .chunks_exact(2)
                .map(|pair| pair[0] << 4 | pair[1])
                .collect(),
        ))
    }
}

/// Answers one line; `act` does what it asks, or says why not.
pub(super) fn answer(line: &[u8], act: impl FnOnce(Question) -> Result<Value, String>) -> Value {
    let mut fields: Map<String, Value> = match serde_json::from_slice(line) {
        Ok(fields) => fields,
        Err(error) => return self::error(&format!("this is no JSON object in a line: {error}")),
    };
    let id = fields.remove("id");
    let version = fields.remove("version");
    let outcome = match version {
        Some(version) if version == json!(VERSION) => {
            let question = Question::deserialize(Value::Object(fields));
            question.map_err(|error| error.to_string()).and_then(act)
        }
        Some(other) => Err(format!("version {other} is not known; known is {VERSION}")),
        None => Err(format!("`version` is missing; known is {VERSION}")),
    };
    let mut answer = match outcome {
        Ok(result) => json!({ "version": VERSION, "ok": result }),
        Err(text) => error(&text),
    };
    if let Some(id) = id {
        answer["id"] = id;
    }
    answer
}

/// The answer to what cannot be done.
pub(super) fn error(text: &str) -> Value {
    json!({ "version": VERSION, "error": text })
}

const VERSION: u32 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str) -> Result<Question, String> {
        let mut question = Err(String::new());
        let answer = answer(line.as_bytes(), |it| {
            question = Ok(it);
            Ok(Value::Null)
        });
        question.map_err(|_| answer["error"].as_str().unwrap().to_owned())
    }

    #[test]
    fn every_question_of_the_documentation_is_understood() {
        let page = include_str!("../../../../../../docs/ndishost.md");
        let mut count = 0;
        for line in page.lines().filter(|line| line.starts_with("{\"version\"")) {
            if line.contains("\"do\"") {
                count += 1;
                if let Err(error) = asked(line) {
                    panic!("{line}: {error}");
                }
            }
        }
        assert_eq!(count, 11, "the example, and one of each kind");
    }

    #[test]
    fn a_control_request_has_bytes_in_hexadecimal() {
        let line = r#"{"version":1,"do":"control","device":"\\\\.\\x","code":7,"input":"00fF","output_length":4}"#;
        let expected = Question::Control {
            device: r"\\.\x".to_owned(),
            code: 7,
            input: Hex(vec![0, 0xff]),
            output_length: 4,
            who: Who::Administrator,
        };
        assert_eq!(asked(line), Ok(expected));
        assert_eq!(Hex(vec![0, 0xff]).to_string(), "00ff");
    }

    #[test]
    fn bad_lines_are_answered_with_an_error_and_their_id() {
        for (line, part) in [
            ("", "no JSON object"),
            ("[]", "no JSON object"),
            ("{", "no JSON object"),
            (r#"{"do":"adapters"}"#, "`version` is missing"),
            (r#"{"version":2,"do":"adapters"}"#, "version 2 is not known"),
            (r#"{"version":1}"#, "missing field `do`"),
            (r#"{"version":1,"do":"format"}"#, "unknown variant `format`"),
            (
                r#"{"version":1,"do":"adapters","x":1}"#,
                "unknown field `x`",
            ),
            (
                r#"{"version":1,"do":"control","device":"x","code":-1}"#,
                "invalid value",
            ),
            (
                r#"{"version":1,"do":"control","device":"x","code":1,"input":"0"}"#,
                "pairs",
            ),
            (
                r#"{"version":1,"do":"control","device":"x","code":1,"input":"0g"}"#,
                "pairs",
            ),
            (
                r#"{"version":1,"do":"registry-get","key":{"x":1},"name":"y"}"#,
                "unknown variant",
            ),
        ] {
            let error = asked(line).unwrap_err();
            assert!(error.contains(part), "{line}: {error}");
        }
        let answer = answer(br#"{"version":1,"id":[7],"do":"x"}"#, |_| Ok(Value::Null));
        assert_eq!(answer["id"], json!([7]));
        assert_eq!(answer["version"], json!(1));
        assert!(answer.get("ok").is_none());
    }

    #[test]
    fn what_fails_is_an_error_and_what_succeeds_is_not() {
        let line = br#"{"version":1,"do":"adapters"}"#;
        assert_eq!(
            answer(line, |_| Ok(json!(3))),
            json!({ "version": 1, "ok": 3 })
        );
        let failed = answer(line, |_| Err("no".to_owned()));
        assert_eq!(failed, json!({ "version": 1, "error": "no" }));
    }

    #[test]
    fn a_registry_value_is_written_as_in_a_lab_file() {
        let line = |value: &str| {
            format!(
                r#"{{"version":1,"do":"registry-set","key":{{"device":"x"}},"name":"n","value":{value}}}"#
            )
        };
        for (text, value) in [
            ("\"30\"", RegistryValue::Sz("30".to_owned())),
            ("4294967295", RegistryValue::Dword(u32::MAX)),
            ("[\"a\"]", RegistryValue::MultiSz(vec!["a".to_owned()])),
            ("{\"binary\":[1]}", RegistryValue::Binary(vec![1])),
        ] {
            let Ok(Question::RegistrySet { value: read, .. }) = asked(&line(text)) else {
                panic!("{text}");
            };
            assert_eq!(read, value);
        }
        assert!(asked(&line("4294967296")).is_err());
        assert!(asked(&line("-1")).is_err());
    }
}
