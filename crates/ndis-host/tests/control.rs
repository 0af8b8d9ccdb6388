//! `ndishost run --control` over a lab of built-in parts: what programs may ask of a running machine.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::fs;
use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

const LAB: &str = r#"
[[nic]]
name = "trunk"
wire = "memory"
[[virtual_miniport]]
name = "vlan10"
device = '\Device\{10}'
[virtual_miniport.registry]
VlanId = "10"
[[client]]
name = "stack"
above = "trunk"
wire = "memory"
"#;

/// A run that is up.
struct Run {
    child: Child,
    folder: PathBuf,
}

impl Run {
    fn start(name: &str, prepare: impl FnOnce(&PathBuf)) -> Self {
        let folder = format!("ndishost-control-{}-{name}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        fs::create_dir_all(&folder).expect("the temporary folder can be written");
        fs::write(folder.join("lab.toml"), LAB).unwrap();
        prepare(&folder.join("control"));
        let child = Command::new(env!("CARGO_BIN_EXE_ndishost"))
            .current_dir(&folder)
            .args(["run", "--lab", "lab.toml", "--json", "--for", "60"])
            .args(["--control", "control", "--clients", "memory"])
            .args(["--ready-file", "ready"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the command starts");
        let mut run = Self { child, folder };
        run.wait_until("it is ready", |run| run.folder.join("ready").exists());
        run
    }

    fn socket(&self) -> PathBuf {
        self.folder.join("control")
    }

    fn connect(&self) -> Program {
        let stream = UnixStream::connect(self.socket()).expect("it listens");
        stream.set_read_timeout(Some(LONG)).unwrap();
        Program(BufReader::new(stream))
    }

    fn wait_until(&mut self, what: &str, mut so: impl FnMut(&mut Self) -> bool) {
        let end = Instant::now() + LONG;
        while !so(self) {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "{what}: it ended: {ended:?}");
            assert!(Instant::now() < end, "{what}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Ends the run in order: its exit code, and its events.
    fn end(mut self) -> (Option<i32>, Vec<Value>) {
        let killed = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status();
        assert!(killed.unwrap().success());
        let events = BufReader::new(self.child.stdout.take().unwrap()).lines();
        let events = events.map(|line| serde_json::from_str(&line.unwrap()).unwrap());
        let events = events.collect();
        let code = self.child.wait().unwrap().code();
        assert!(!self.socket().exists(), "the socket is removed");
        (code, events)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // It may have ended in order.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// One connection.
struct Program(BufReader<UnixStream>);

impl Program {
    fn say(&mut self, line: &str) -> Value {
        writeln!(self.0.get_mut(), "{line}").unwrap();
        let mut answer = String::new();
        self.0.read_line(&mut answer).unwrap();
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{answer:?}: {error}"))
    }

    fn ask(&mut self, mut question: Value) -> Value {
        question["version"] = json!(1);
        self.say(&question.to_string())
    }

    fn ok(&mut self, question: Value) -> Value {
        let answer = self.ask(question.clone());
        answer
            .get("ok")
            .unwrap_or_else(|| panic!("{question}: {answer}"))
            .clone()
    }

    fn error(&mut self, question: Value) -> String {
        let answer = self.ask(question);
        answer["error"]
            .as_str()
            .unwrap_or_else(|| panic!("{answer}"))
            .to_owned()
    }
}

const LONG: Duration = Duration::from_secs(30);

#[test]
fn the_socket_is_the_owners_and_gone_after_the_run() {
    let run = Run::start("socket", |path| {
        // A run that was killed left it behind.
        drop(std::os::unix::net::UnixListener::bind(path).unwrap());
    });
    let mode = fs::metadata(run.socket()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let second = Command::new(env!("CARGO_BIN_EXE_ndishost"))
        .current_dir(&run.folder)
        .args(["run", "--lab", "lab.toml", "--control", "control"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(2));
    assert!(said.contains("another run listens on control"), "{said}");
    let mut program = run.connect();
    assert!(
        program.ok(json!({"do": "adapters"})).is_array(),
        "the first still listens"
    );
    let (code, _) = run.end();
    assert_eq!(code, Some(0), "an open connection does not hold the end up");
}

#[test]
fn a_file_that_is_no_socket_is_left_alone() {
    let folder = std::env::temp_dir().join(format!("ndishost-control-{}-file", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("lab.toml"), LAB).unwrap();
    fs::write(folder.join("control"), "mine").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_ndishost"))
        .current_dir(&folder)
        .args(["run", "--lab", "lab.toml", "--control", "control"])
        .output()
        .unwrap();
    let kept = fs::read_to_string(folder.join("control")).unwrap();
    fs::remove_dir_all(&folder).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(kept, "mine");
}

#[test]
fn bad_lines_get_an_error_and_harm_nothing() {
    let run = Run::start("bad", |_| ());
    let mut program = run.connect();
    let mut other = run.connect();
    for line in [
        "",
        "nonsense",
        "{}",
        "[1]",
        "\u{0}",
        r#"{"version":1,"do":"x","id":5}"#,
    ] {
        let answer = program.say(line);
        assert!(answer["error"].is_string(), "{line}: {answer}");
        assert!(answer.get("ok").is_none());
    }
    assert!(other.ok(json!({"do": "adapters"})).is_array());
    assert!(program.ok(json!({"do": "adapters"})).is_array());

    // A line without an end is cut off; what others have goes on.
    let endless = vec![b'x'; 5 << 20];
    let _ = program.0.get_mut().write_all(&endless);
    // The end of the connection may overtake what was said before.
    let mut answer = String::new();
    match program.0.read_line(&mut answer) {
        Ok(_) => assert!(answer.is_empty() || answer.contains("at most"), "{answer}"),
        Err(error) => assert_eq!(
            error.kind(),
            ErrorKind::ConnectionReset,
            "it waits for more"
        ),
    }
    assert!(other.ok(json!({"do": "adapters"})).is_array());
    assert_eq!(run.end().0, Some(0));
}

#[test]
fn registry_values_are_read_written_and_deleted() {
    let run = Run::start("registry", |_| ());
    let mut program = run.connect();
    let device = json!({"device": "vlan10"});
    let binding = json!({"binding": {"protocol": "p", "above": "trunk"}});
    let mut get = |key: &Value, name: &str| {
        program.ok(json!({"do": "registry-get", "key": key, "name": name}))["value"].clone()
    };
    assert_eq!(get(&device, "vlanid"), json!("10"));
    assert_eq!(get(&binding, "UpperBindings"), Value::Null);
    let upper = json!([r"\Device\{10}"]);
    program
        .ok(json!({"do": "registry-set", "key": binding, "name": "UpperBindings", "value": upper}));
    let mut get = |key: &Value, name: &str| {
        program.ok(json!({"do": "registry-get", "key": key, "name": name}))["value"].clone()
    };
    assert_eq!(get(&binding, "UpperBindings"), upper);
    let delete = json!({"do": "registry-delete", "key": device, "name": "VlanId"});
    assert_eq!(program.ok(delete.clone())["was_there"], json!(true));
    assert_eq!(program.ok(delete)["was_there"], json!(false));
    let unknown = json!({"do": "registry-get", "key": {"device": "x"}, "name": "y"});
    assert!(program.error(unknown).contains("no device \"x\""));
    let outside = json!({"binding": {"protocol": r"..\x", "above": "trunk"}});
    let error = program.error(json!({"do": "registry-get", "key": outside, "name": "y"}));
    assert!(error.contains("backslash"), "{error}");
    assert_eq!(run.end().0, Some(0));
}

#[test]
fn devices_come_and_go() {
    let run = Run::start("devices", |_| ());
    let mut program = run.connect();
    let add = json!({"do": "device-add", "label": "vlan30", "values": {"VlanId": "30"}});
    let device = program.ok(add.clone())["device"].clone();
    let state = |program: &mut Program, label: &str| {
        let adapters = program.ok(json!({"do": "adapters"}));
        let adapters = adapters.as_array().unwrap().clone();
        adapters.into_iter().find(|it| it["label"] == label)
    };
    let there = state(&mut program, "vlan30").expect("it is there");
    assert_eq!(there["device"], device);
    assert_eq!(there["is_virtual"], true);
    assert_eq!(there["state"], "Halted", "no driver asked for it");
    let value = json!({"do": "registry-get", "key": {"device": device}, "name": "VlanId"});
    assert_eq!(program.ok(value)["value"], "30");
    assert!(program.error(add).contains("taken"), "twice");
    let stack = json!({"do": "device-add", "label": "stack"});
    assert!(program.error(stack).contains("taken"), "a client's name");
    let nic = json!({"do": "device-remove", "device": "trunk"});
    assert!(program.error(nic).contains("no virtual miniport"), "a NIC");
    program.ok(json!({"do": "device-remove", "device": device}));
    assert_eq!(state(&mut program, "vlan30"), None);
    let nic = state(&mut program, "trunk").unwrap();
    assert_eq!(
        (&nic["state"], &nic["is_virtual"]),
        (&json!("Running"), &json!(false))
    );

    // One that is left goes with the run.
    program.ok(json!({"do": "device-add", "label": "vlan40", "client": "memory"}));
    let (code, events) = run.end();
    assert_eq!(code, Some(0));
    let counted = |event: &Value| event["event"] == "counters" && event["adapter"] == "vlan40";
    assert!(events.iter().any(counted), "{events:#?}");
}

#[test]
fn a_protocol_is_told_that_its_configuration_changed() {
    let run = Run::start("reconfigure", |_| ());
    let mut program = run.connect();
    let question = json!({"do": "reconfigure", "protocol": "stack", "above": "trunk"});
    assert_eq!(program.ok(question)["status"], 0);
    assert_eq!(
        program.ok(json!({"do": "reconfigure", "protocol": "stack"}))["status"],
        0
    );
    let unbound = json!({"do": "reconfigure", "protocol": "stack", "above": "vlan10"});
    assert!(program.error(unbound).contains("no binding \"vlan10\""));
    assert!(
        program
            .error(json!({"do": "reconfigure", "protocol": "x"}))
            .contains("\"x\"")
    );
    assert_eq!(run.end().0, Some(0));
}

#[test]
fn a_device_that_is_not_there_is_not_opened() {
    let run = Run::start("control", |_| ());
    let mut program = run.connect();
    let control = json!({"do": "control", "device": r"\\.\nothing", "code": 1, "output_length": 8});
    let not_found = 0xc000_0034_u32;
    assert_eq!(
        program.ok(control),
        json!({"opened": false, "status": not_found})
    );
    let long = json!({"do": "control", "device": r"\\.\x", "code": 1, "output_length": u32::MAX});
    assert!(program.error(long).contains("at most"));
    assert_eq!(run.end().0, Some(0));
}

#[test]
fn frames_leave_by_a_client_and_come_in_by_a_cable() {
    let run = Run::start("frames", |_| ());
    let mut program = run.connect();
    let frame = |payload: usize| "ff".repeat(6) + &"02".repeat(6) + "88b5" + &"00".repeat(payload);
    let send = |frames: &[String]| json!({"do": "send", "client": "stack", "frames": frames});
    let sent = program.ok(send(&[frame(46), frame(1500)]));
    assert_eq!(sent, json!({"statuses": [0, 0]}));
    let receive = |frames: &[String]| json!({"do": "receive", "nic": "trunk", "frames": frames});
    assert_eq!(program.ok(receive(&[frame(50)])), Value::Null);
    for (question, part) in [
        (send(&[frame(0)[2..].to_owned()]), "13 bytes: 14 to 1514"),
        (send(&[frame(46), frame(1501)]), "1515 bytes: 14 to 1514"),
        (receive(&[frame(16 * 1024)]), "14 to 16384"),
        (receive(&["0".to_owned()]), "pairs"),
        (json!({"do": "send", "client": "x", "frames": []}), "\"x\""),
        (
            json!({"do": "receive", "nic": "stack", "frames": []}),
            "\"stack\"",
        ),
    ] {
        let error = program.error(question);
        assert!(error.contains(part), "{error}");
    }
    let (code, events) = run.end();
    assert_eq!(code, Some(0));
    let counters = events
        .iter()
        .find(|it| it["event"] == "counters" && it["counted_by"] == "adapter");
    let counters = counters.expect("the adapter counted");
    let count = |what: &str| counters[what].as_u64().expect("a number");
    assert_eq!((count("sent_frames"), count("sent_bytes")), (2, 60 + 1514));
    assert_eq!((count("received_frames"), count("received_bytes")), (1, 64));
}
