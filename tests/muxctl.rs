//! `muxctl` and the driver image: the command speaks to an `ndishost` that runs the image, as it speaks to
//! Windows elsewhere.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use ndismux_tests::image;
use serde_json::{Value, json};

/// A running `ndishost` with the driver in it.
struct Machine {
    host: Child,
    folder: PathBuf,
}

impl Machine {
    /// One NIC, `trunk`, with these VLAN adapters above it: each has a client on a cable.
    fn start(name: &str, policy: &str, vlans: &[u16]) -> Self {
        let folder = format!("ndismux-muxctl-{}-{name}", std::process::id());
        let folder = env::temp_dir().join(folder);
        fs::create_dir_all(&folder).expect("the temporary folder can be written");
        fs::write(folder.join("lab.toml"), lab(policy, vlans)).expect("it can be written");
        let host = cargo("ndis-host", "ndishost")
            .args(["run", "--json", "--for", "300", "--clients", "memory"])
            .arg("--lab")
            .arg(folder.join("lab.toml"))
            .arg("--control")
            .arg(folder.join("control"))
            .arg("--ready-file")
            .arg(folder.join("ready"))
            .stdout(Stdio::null())
            .spawn()
            .expect("cargo runs");
        let mut machine = Self { host, folder };
        let end = Instant::now() + BUILD;
        while !machine.folder.join("ready").exists() {
            let ended = machine.host.try_wait().expect("it can be waited for");
            assert!(ended.is_none(), "ndishost ended: {ended:?}");
            assert!(Instant::now() < end, "ndishost is not ready");
            thread::sleep(Duration::from_millis(20));
        }
        machine
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = cargo("muxctl", "muxctl");
        command
            .arg("--ndishost")
            .arg(self.folder.join("control"))
            .arg("--json")
            .args(arguments.split_whitespace());
        command
    }

    /// What a command answered, which has to succeed.
    fn ok(&self, arguments: &str) -> Value {
        let output = self.command(arguments).output().expect("cargo runs");
        let answer = answer(&output);
        assert_eq!(output.status.code(), Some(0), "{arguments}: {answer}");
        answer
    }

    /// The exit code and the error of a command that has to fail.
    fn error(&self, arguments: &str) -> (i32, String) {
        let output = self.command(arguments).output().expect("cargo runs");
        let answer = answer(&output);
        let error = answer["error"].as_str();
        let error = error.unwrap_or_else(|| panic!("{arguments}: {answer}"));
        (
            output.status.code().expect("it was not killed"),
            error.to_owned(),
        )
    }

    /// What `ndishost` answers a question of its own, which has to succeed.
    fn ask(&self, mut question: Value) -> Value {
        let stream = UnixStream::connect(self.folder.join("control")).expect("it listens");
        let mut stream = BufReader::new(stream);
        question["version"] = 1.into();
        writeln!(stream.get_mut(), "{question}").expect("it is there");
        let mut line = String::new();
        stream.read_line(&mut line).expect("it answers");
        let mut answer: Value = serde_json::from_str(&line).expect("JSON");
        assert!(answer.get("ok").is_some(), "{question}: {answer}");
        answer["ok"].take()
    }

    /// The VLANs that are there, by name, in the order of the list.
    fn vlans(&self) -> Vec<(String, u64, String)> {
        let list = self.ok("vlan list");
        let list = list.as_array().expect("a list");
        let text = |it: &Value, field: &str| it[field].as_str().expect("a text").to_owned();
        list.iter()
            .map(|it| {
                let vlan = it["vlan"].as_u64().expect("a number");
                (text(it, "name"), vlan, text(it, "state"))
            })
            .collect()
    }

    /// Ends the run in order: nothing may be left of the driver.
    fn end(mut self) {
        let asked = Command::new("kill")
            .args(["-TERM", &self.host.id().to_string()])
            .status();
        assert!(asked.expect("kill runs").success());
        let status = self.host.wait().expect("it can be waited for");
        assert_eq!(
            status.code(),
            Some(0),
            "something is left, or a rule was broken"
        );
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // It may have ended in order.
        let _ = self.host.kill();
        let _ = self.host.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Cargo, about to run a program; it becomes the program once that is built.
fn cargo(package: &str, program: &str) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command
        .args(["run", "-q", "-p", package, "--bin", program, "--"])
        .current_dir(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")));
    command
}

fn answer(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{error}: {}", String::from_utf8_lossy(&output.stderr));
    })
}

fn lab(policy: &str, vlans: &[u16]) -> String {
    let mut text = format!(
        "[policy]\n{policy}\n[[image]]\nfile = '{}'\nservice = 'ndismux'\n\
         [[nic]]\nname = 'trunk'\nwire = 'memory'\nmac = '02-4E-49-43-00-01'\n\
         [[nic]]\nname = 'spare'\nwire = 'memory'\n",
        image().display()
    );
    let device = |vlan: &u16| format!(r"\Device\{{4D757801-0000-4000-8000-{vlan:012}}}");
    let upper: Vec<_> = vlans
        .iter()
        .map(|vlan| format!("'{}'", device(vlan)))
        .collect();
    text += "[[binding]]\nprotocol = 'ndismux'\nabove = 'trunk'\n[binding.registry]\n";
    if !upper.is_empty() {
        text += &format!("UpperBindings = [{}]\n", upper.join(", "));
    }
    for vlan in vlans {
        text += &format!(
            "[[virtual_miniport]]\nname = 'vlan{vlan}'\ndevice = '{}'\n\
             [virtual_miniport.registry]\nVlanId = '{vlan}'\n\
             [[client]]\nname = 'above {vlan}'\nabove = 'vlan{vlan}'\nwire = 'memory'\n",
            device(vlan)
        );
    }
    text
}

fn running(vlans: &[(&str, u64)]) -> Vec<(String, u64, String)> {
    let vlans = vlans.iter();
    vlans
        .map(|(name, vlan)| ((*name).to_owned(), *vlan, "running".to_owned()))
        .collect()
}

/// How long the programs may take to be built.
const BUILD: Duration = Duration::from_secs(600);

#[test]
fn a_vlan_is_added_shown_changed_and_removed() {
    let machine = Machine::start("life", "", &[10, 20]);
    assert_eq!(machine.vlans(), running(&[("vlan10", 10), ("vlan20", 20)]));

    let added = machine.ok("vlan add --nic trunk --vlan 30 --mac 02-4D-55-58-00-1E");
    assert_eq!(added["state"], "running");
    assert_eq!(added["address"], "02-4D-55-58-00-1E");
    assert_eq!(added["nic"], "trunk");
    assert_eq!(added["mtu"], 1496, "the NIC has no room for a tag");
    let three = [("vlan10", 10), ("vlan20", 20), ("vlan30", 30)];
    assert_eq!(machine.vlans(), running(&three));

    let status = machine.ok("status");
    assert_eq!(status[0]["name"], "trunk");
    assert_eq!(status[0]["state"], "running");
    assert_eq!(status[0]["link"], "up");
    assert_eq!(status[0]["address"], "02-4E-49-43-00-01");
    assert_eq!(status[0]["vlans"].as_array().map(Vec::len), Some(3));

    let moved = machine.ok("vlan set vlan30 --to-vlan 31");
    assert_eq!(
        (&moved["vlan"], &moved["state"]),
        (&31.into(), &"running".into())
    );
    let addressed = machine.ok("vlan set vlan30 --mac 02-4D-55-58-00-1F");
    assert_eq!(addressed["address"], "02-4D-55-58-00-1F");
    assert_eq!(addressed["vlan"], 31);
    let derived = machine.ok("vlan set vlan30 --mac derived");
    assert_eq!(derived["vlan"], 31);
    for set in [&moved, &addressed] {
        assert_ne!(derived["address"], set["address"]);
    }

    assert_eq!(machine.ok("vlan remove vlan20")["removed"], "vlan20");
    assert_eq!(machine.vlans(), running(&[("vlan10", 10), ("vlan30", 31)]));
    machine.ok("vlan remove --nic trunk --vlan 31");
    assert_eq!(machine.vlans(), running(&[("vlan10", 10)]));
    machine.end();
}

#[test]
fn d15_the_first_vlan_is_added_and_the_last_removed_while_the_nic_runs() {
    let machine = Machine::start("first", "", &[]);
    assert_eq!(machine.vlans(), []);
    for _ in 0..2 {
        machine.ok("vlan add --nic trunk --vlan 1");
        assert_eq!(machine.vlans(), running(&[("vlan1", 1)]));
        machine.ok("vlan remove vlan1");
        assert_eq!(machine.vlans(), []);
    }
    machine.end();
}

#[test]
fn what_cannot_be_is_refused_with_what_there_is() {
    let machine = Machine::start("refused", "", &[10]);
    let refused = |arguments: &str, part: &str| {
        let (code, error) = machine.error(arguments);
        assert_eq!(code, 2, "{arguments}: {error}");
        assert!(error.contains(part), "{arguments}: {error}");
    };
    refused(
        "vlan add --nic nothing --vlan 30",
        "there are: trunk, spare, vlan10",
    );
    refused(
        "vlan add --nic spare --vlan 30",
        "not bound to spare; it is bound to: trunk",
    );
    refused(
        "vlan add --nic trunk --vlan 10 --name again",
        "in VLAN 10 already: vlan10",
    );
    refused(
        "vlan add --nic trunk --vlan 30 --name vlan10",
        "choose another --name",
    );
    refused("vlan remove vlan30", "there are: vlan10");
    refused("vlan set vlan30 --to-vlan 31", "there are: vlan10");
    refused("statistics vlan30", "there are: vlan10");
    assert_eq!(machine.vlans(), running(&[("vlan10", 10)]));
    machine.end();
}

#[test]
fn an_adapter_that_is_never_initialized_leaves_nothing_behind() {
    let machine = Machine::start("never", "im_initialize = 'never'", &[]);
    let before = machine.ok("status");
    let (code, error) = machine.error("--wait 1 vlan add --nic trunk --vlan 30");
    assert_eq!(code, 1, "{error}");
    assert!(
        error.contains("did not come up within 1 s; it was last requested"),
        "{error}"
    );
    assert_eq!(machine.ok("status"), before);

    // Nor does one that Ctrl-C came for.
    let waiting = machine
        .command("vlan add --nic trunk --vlan 30")
        .stdout(Stdio::piped())
        .spawn()
        .expect("cargo runs");
    let end = Instant::now() + BUILD;
    while machine.vlans().is_empty() {
        assert!(Instant::now() < end, "the driver is not asked");
    }
    let asked = Command::new("kill")
        .args(["-INT", &waiting.id().to_string()])
        .status();
    assert!(asked.expect("kill runs").success());
    let output = waiting.wait_with_output().expect("it can be waited for");
    assert_eq!(output.status.code(), Some(130), "{}", answer(&output));
    assert_eq!(machine.ok("status"), before);
    machine.end();
}

#[test]
fn statistics_count_what_the_client_above_sends_and_receives() {
    let machine = Machine::start("statistics", "", &[10]);
    let counts = |frames: &[(&str, u64, u64)]| {
        let mut counts = json!({ "errors": 0, "discards": 0 });
        for kind in ["directed", "multicast", "broadcast"] {
            let (_, frames, bytes) = frames.iter().find(|it| it.0 == kind).unwrap_or(&("", 0, 0));
            counts[format!("{kind}_frames")] = (*frames).into();
            counts[format!("{kind}_bytes")] = (*bytes).into();
        }
        counts
    };
    let none = machine.ok("statistics vlan10");
    assert_eq!(
        (&none[0]["sent"], &none[0]["received"]),
        (&counts(&[]), &counts(&[]))
    );

    let list = machine.ok("vlan list");
    let own = list[0]["address"]
        .as_str()
        .expect("a text")
        .replace('-', "");
    let frame = |destination: &str, source: &str, tag: &str, payload: usize| {
        format!("{destination}{source}{tag}88b5{}", "00".repeat(payload))
    };
    let (peer, group, all) = ("025045455201", "01005e000001", "ffffffffffff");
    let sent = [(peer, 46), (peer, 100), (all, 46), (group, 200)];
    let sent = sent.map(|(to, payload)| frame(to, &own, "", payload));
    let sent = machine.ask(json!({"do": "send", "client": "above 10", "frames": sent}));
    assert_eq!(sent["statuses"], json!([0, 0, 0, 0]));
    let received = [
        frame(&own, peer, "8100000a", 46),
        frame(all, peer, "8100000a", 50),
        frame(all, peer, "8100000a", 50),
        // In another VLAN, and in none.
        frame(all, peer, "8100000b", 46),
        frame(&own, peer, "", 46),
    ];
    machine.ask(json!({"do": "receive", "nic": "trunk", "frames": received}));

    // A frame and its header, without the tag.
    let sent = counts(&[
        ("directed", 2, 60 + 114),
        ("broadcast", 1, 60),
        ("multicast", 1, 214),
    ]);
    let received = counts(&[("directed", 1, 60), ("broadcast", 2, 2 * 64)]);
    let end = Instant::now() + Duration::from_secs(60);
    let counted = loop {
        let counted = machine.ok("statistics");
        // They come in after the question is answered.
        if counted[0]["received"]["broadcast_frames"] == 2 || Instant::now() > end {
            break counted;
        }
    };
    let all = counted.as_array().expect("a list");
    assert_eq!(all.len(), 1);
    assert_eq!(all[0]["name"], "vlan10");
    assert_eq!(all[0]["sent"], sent);
    assert_eq!(all[0]["received"], received);
    assert_eq!(machine.ok("statistics vlan10"), counted);
    machine.end();
}

#[test]
fn only_administrators_may_control_the_driver() {
    let machine = Machine::start("user", "", &[10]);
    let list = mux_core::control::Operation::List.code();
    let ask = |who: &str| {
        machine.ask(json!({
            "do": "control", "device": r"\\.\ndismux", "code": list, "as": who,
            "input": "010000001800000000000000000000000000000000000000", "output_length": 4096,
        }))
    };
    let administrator = ask("administrator");
    assert_eq!(administrator["status"], 0, "{administrator}");
    let user = ask("user");
    let access_denied = 0xc000_0022_u32;
    assert_eq!(user["opened"], false, "{user}");
    assert_eq!(user["status"], access_denied, "{user}");
    machine.end();
}

#[test]
fn many_vlans_come_and_go() {
    let machine = Machine::start("many", "", &[]);
    for vlan in 1..=12 {
        machine.ok(&format!("vlan add --nic trunk --vlan {vlan}"));
    }
    assert_eq!(machine.vlans().len(), 12);
    let addresses = machine.ok("vlan list");
    let addresses = addresses.as_array().expect("a list").iter();
    let mut addresses: Vec<_> = addresses.map(|it| it["address"].to_string()).collect();
    addresses.sort();
    addresses.dedup();
    assert_eq!(addresses.len(), 12, "each has its own");
    for vlan in 1..=12 {
        machine.ok(&format!("vlan remove vlan{vlan}"));
    }
    machine.end();
}
