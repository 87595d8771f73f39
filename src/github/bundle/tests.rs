use serde_json::{Value, json};

use super::*;

fn good() -> Value {
    let bundle = Bundle {
        schema: BUNDLE.into(),
        repository: "acme/hotel".into(),
        issue: 7,
        base: Oid::of_blob(b"base"),
        parts: vec![
            Part {
                kind: PartKind::Test,
                files: vec![file("tests/test_a.py", "assert 1\n")],
                tree: TreeId(Oid::of_blob(b"t")),
            },
            Part {
                kind: PartKind::Fix,
                files: vec![file("src/a.py", "x\n")],
                tree: TreeId(Oid::of_blob(b"f")),
            },
        ],
        record: RunRecord::default(),
    };
    serde_json::to_value(bundle).unwrap()
}

fn file(path: &str, text: &str) -> PartFile {
    PartFile { path: RepoPath::new(path).unwrap(), mode: FileMode::Plain, text: Some(text.into()) }
}

fn read_value(value: &Value) -> Result<Bundle, String> {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("bundle.json");
    std::fs::write(&place, value.to_string()).unwrap();
    Bundle::read(&place).map(|(bundle, _)| bundle).map_err(|error| error.to_string())
}

#[test]
fn what_failfirst_writes_it_reads_back() {
    let bundle = read_value(&good()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("sub/bundle.json");
    let written = write(&bundle, &place).unwrap();
    let (again, digest) = Bundle::read(&place).unwrap();
    assert_eq!((again, digest), (bundle, written));
}

#[test]
fn a_path_that_leaves_the_repository_and_a_link_are_refused() {
    for path in ["../etc/passwd", "/etc/passwd", "a/../../b", ".git/config", "a//b"] {
        let mut value = good();
        value["parts"][1]["files"][0]["path"] = path.into();
        assert!(read_value(&value).unwrap_err().contains("does not stay inside"), "{path}");
    }
    for mode in ["120000", "160000", "040000"] {
        let mut value = good();
        value["parts"][1]["files"][0]["mode"] = mode.into();
        assert!(read_value(&value).unwrap_err().contains("unknown variant"), "{mode}");
    }
}

#[test]
fn files_that_steer_the_forge_git_or_agents_are_refused() {
    for path in [
        ".github/workflows/ci.yml",
        ".github/dependabot.yml",
        ".GitHub/x",
        ".gitattributes",
        ".gitmodules",
        "sub/.gitignore",
        "sub/git~1/config",
        "CLAUDE.md",
        "sub/AGENTS.md",
        ".cursor/rules",
        "action.yml",
        "failfirst.toml",
        ".failfirst/prompts/x",
    ] {
        let mut value = good();
        value["parts"][1]["files"][0]["path"] = path.into();
        assert!(read_value(&value).unwrap_err().contains("may not touch"), "{path}");
    }
    let mut honest = good();
    honest["parts"][1]["files"][0]["path"] = "src/github/legit.py".into();
    read_value(&honest).unwrap();
}

#[test]
fn unknown_fields_are_refused_at_every_depth() {
    for pointer in ["", "/parts/0", "/parts/0/files/0", "/record"] {
        let mut value = good();
        value.pointer_mut(pointer).unwrap()["extra"] = json!({ "run": "this" });
        let error = read_value(&value).unwrap_err();
        assert!(error.contains("unknown field") || error.contains("did not write"), "{pointer}: {error}");
    }
    let mut value = good();
    value["schema"] = "failfirst/bundle/2".into();
    assert!(read_value(&value).unwrap_err().contains("its form is"));
}

#[test]
fn binaries_double_names_and_missing_parts_are_refused() {
    let mut value = good();
    value["parts"][1]["files"][0]["text"] = "a\0b".into();
    assert!(read_value(&value).unwrap_err().contains("binary"));
    let mut value = good();
    let twin = json!({ "path": "SRC/a.py", "mode": "100644", "text": "" });
    value["parts"][1]["files"].as_array_mut().unwrap().push(twin);
    assert!(read_value(&value).unwrap_err().contains("twice"));
    let mut value = good();
    value["parts"].as_array_mut().unwrap().pop();
    assert!(read_value(&value).unwrap_err().contains("not a test and a fix"));
}

#[test]
fn a_gigabyte_is_refused_unread_and_a_link_unfollowed() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("bundle.json");
    std::fs::File::create(&place).unwrap().set_len(1 << 30).unwrap();
    assert!(Bundle::read(&place).unwrap_err().to_string().contains("1073741824 bytes"));
    let link = folder.path().join("link.json");
    std::os::unix::fs::symlink("/etc/passwd", &link).unwrap();
    assert!(Bundle::read(&link).unwrap_err().to_string().contains("symbolic link"));
    let pipe = folder.path().join("pipe.json");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert!(Bundle::read(&pipe).unwrap_err().to_string().contains("no ordinary file"));
}

#[test]
fn a_reviewer_lowers_the_word_and_a_claim_never_raises_it() {
    let (_, report) = crate::report::fixture::verdicts().remove(0);
    let verified = report.verdict.unwrap();
    let claimed = |word| RunRecord {
        lowered: Some("the reviewer doubts it".into()),
        verdict: Some(Verdict { verdict: word, ..verified.clone() }),
        ..RunRecord::default()
    };
    assert_eq!(final_verdict(&verified, &claimed(Word::NeedsHuman)).verdict, Word::NeedsHuman);
    let refused = Verdict { verdict: Word::Refused, ..verified.clone() };
    assert_eq!(final_verdict(&refused, &claimed(Word::Verified)).verdict, Word::Refused);
    assert_eq!(final_verdict(&refused, &claimed(Word::NeedsHuman)).verdict, Word::Refused);
}
