//! A run on one's own machine that is posted, the files of `failfirst init`, and the way through a proxy.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Output;
use std::sync::{Arc, Mutex};

use crate::action::{Runner, script};
use crate::fake::ACTIONS;
use crate::killed::program;

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_run_with_post_ends_on_github_and_its_record_publishes_nothing_new() {
    let runner = Runner::new();
    let record = runner.file("record");
    let run = |arguments: &[&str]| {
        program(&runner.github, ACTIONS)
            .args(arguments)
            .env("XDG_STATE_HOME", runner.file("state"))
            .current_dir(runner.repository.root())
            .output()
            .unwrap()
    };
    let agent = script(&runner);
    let place = record.to_str().unwrap();
    let posted = run(&["run", "acme/hotel#7", "--agent", &agent, "--record", place, "--post", "--pace", "0"]);
    assert!(posted.status.success(), "{}", text(&posted));
    {
        let world = runner.github.world();
        assert!(world.issues[&8].body.contains("Closes #7"));
        assert_eq!(world.issues[&7].comments.len(), 1);
    }
    let before = runner.github.standing();
    let again = run(&["publish", place, "--pace", "0"]);
    assert!(again.status.success() && text(&again).contains("nothing was written"), "{}", text(&again));
    assert_eq!(runner.github.standing(), before);
    let dry = run(&["publish", place, "--dry-run"]);
    assert!(text(&dry).contains("0 writes are missing"), "{}", text(&dry));
    runner.github.assert_contract();
}

#[test]
fn a_run_about_a_file_has_no_place_on_github() {
    let runner = Runner::new();
    std::fs::write(
        runner.file("bug.md"),
        "# The total is wrong\n\n`total([1, 2, 3])` is 5, but it should be 6.\n",
    )
    .unwrap();
    let place = runner.file("record");
    let (bug, agent) = (runner.file("bug.md"), script(&runner));
    let run = |arguments: &[&str]| {
        program(&runner.github, ACTIONS)
            .args(arguments)
            .current_dir(runner.repository.root())
            .output()
            .unwrap()
    };
    let place = place.to_str().unwrap();
    let worked = run(&["run", "--issue", bug.to_str().unwrap(), "--agent", &agent, "--record", place]);
    assert!(worked.status.success(), "{}", text(&worked));
    let refused = run(&["publish", place]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused).contains("is about no issue on GitHub"), "{}", text(&refused));
    assert_eq!(runner.github.world().log.len(), 0);
}

#[test]
fn init_writes_a_workflow_and_settings_once() {
    let runner = Runner::new();
    std::fs::remove_file(runner.repository.root().join("failfirst.toml")).unwrap();
    let init = || {
        program(&runner.github, ACTIONS).arg("init").current_dir(runner.repository.root()).output().unwrap()
    };
    let first = init();
    assert!(first.status.success(), "{}", text(&first));
    let settings = std::fs::read_to_string(runner.repository.root().join("failfirst.toml")).unwrap();
    assert!(settings.contains("a project in python"), "{settings}");
    let workflow = runner.repository.root().join(".github/workflows/failfirst.yml");
    assert!(std::fs::read_to_string(&workflow).unwrap().contains("permissions: {}"));
    std::fs::write(&workflow, "mine").unwrap();
    assert!(text(&init()).contains("is left as it is"));
    assert_eq!(std::fs::read_to_string(&workflow).unwrap(), "mine");
}

/// A proxy that opens tunnels and remembers where to.
fn proxy() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut first = String::new();
            reader.read_line(&mut first).unwrap();
            let mut line = String::new();
            while reader.read_line(&mut line).unwrap() > 2 {
                line.clear();
            }
            seen.lock().unwrap().push(first.trim().to_owned());
            let to = first.split(' ').nth(1).unwrap().to_owned();
            let mut far = TcpStream::connect(to).unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
            let (mut near_in, mut far_out) = (stream.try_clone().unwrap(), far.try_clone().unwrap());
            std::thread::spawn(move || {
                let mut buffer = [0; 8192];
                while let Ok(count @ 1..) = near_in.read(&mut buffer) {
                    if far_out.write_all(&buffer[..count]).is_err() {
                        break;
                    }
                }
            });
            std::thread::spawn(move || {
                let mut buffer = [0; 8192];
                while let Ok(count @ 1..) = far.read(&mut buffer) {
                    if stream.write_all(&buffer[..count]).is_err() {
                        break;
                    }
                }
                let _ = stream.shutdown(std::net::Shutdown::Both);
            });
        }
    });
    (address, asked)
}

#[test]
fn requests_go_through_the_proxy_of_the_environment() {
    let case = crate::case::Case::new(0, 0);
    let (bundle, signoff, digest) = case.files();
    let (address, asked) = proxy();
    let output = program(&case.github, ACTIONS)
        .args(["publish", "--pace", "0", "--dry-run", "--digest", &digest, "--bundle"])
        .arg(bundle)
        .arg("--signoff")
        .arg(signoff)
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .env("HTTP_PROXY", &address)
        .env("http_proxy", &address)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let asked = asked.lock().unwrap();
    assert!(
        !asked.is_empty() && asked.iter().all(|line| line.starts_with("CONNECT 127.0.0.1:")),
        "{asked:?}"
    );
}
