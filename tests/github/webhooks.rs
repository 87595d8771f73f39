//! Real payloads, as GitHub publishes them.

use std::collections::BTreeMap;

use failfirst::github::authorise::{Permission, Reason, Rules, intent};
use failfirst::github::event::Event;
use serde_json::Value;

fn payloads() -> Vec<(String, Value)> {
    let text = std::fs::read(crate::fake::contract_folder().join("webhooks.json")).unwrap();
    let list: Vec<Value> = serde_json::from_slice(&text).unwrap();
    list.into_iter()
        .map(|mut one| (one["name"].as_str().unwrap().to_owned(), one["payload"].take()))
        .collect()
}

fn rules() -> Rules {
    Rules { label: "failfirst".into(), permission: Permission::Write }
}

#[test]
fn every_real_payload_is_read_and_almost_all_of_them_ask_for_nothing() {
    let all = payloads();
    assert!(all.len() > 250, "{}", all.len());
    let mut asked: BTreeMap<String, usize> = BTreeMap::new();
    for (name, payload) in &all {
        let event = Event::parse(name, payload.to_string().as_bytes())
            .unwrap_or_else(|error| panic!("{name} {}: {error}", payload["action"]));
        let answer = intent(&event, &rules());
        if answer.is_ok() {
            *asked.entry(name.clone()).or_default() += 1;
        }
        match name.as_str() {
            "issue_comment" => assert!(answer.is_err(), "no example holds a command"),
            "issues" => {
                assert_eq!(answer.unwrap_err().reason, Reason::NotForUs, "none of them has our label")
            }
            "pull_request" => {
                let action = payload["action"].as_str().unwrap();
                let judged = matches!(action, "opened" | "synchronize" | "reopened" | "ready_for_review");
                assert_eq!(answer.is_ok(), judged, "{action}: {answer:?}");
                if let Ok(intent) = answer {
                    assert_eq!(intent.subject.number(), payload["pull_request"]["number"].as_u64().unwrap());
                    assert_eq!(intent.commit.as_deref(), payload["pull_request"]["head"]["sha"].as_str());
                }
            }
            "workflow_dispatch" | "schedule" => {}
            _ => assert!(answer.is_err(), "{name}"),
        }
    }
    println!("{} payloads read; these ask for something: {asked:?}", all.len());
    assert_eq!(asked.keys().collect::<Vec<_>>(), ["pull_request"]);
}

#[test]
fn real_payloads_with_our_label_or_command_in_them_start_a_case() {
    let (mut labels, mut comments) = (0, 0);
    for (name, mut payload) in payloads() {
        let is_person = payload["sender"]["type"] == "User";
        match name.as_str() {
            "issues" if payload["action"] == "labeled" => {
                payload["label"]["name"] = "failfirst".into();
                let event = Event::parse(&name, payload.to_string().as_bytes()).unwrap();
                let asked = intent(&event, &rules());
                if is_person && payload["issue"]["state"] == "open" {
                    assert_eq!(asked.unwrap().subject.number(), payload["issue"]["number"].as_u64().unwrap());
                    labels += 1;
                }
            }
            "issue_comment" if payload["action"] == "created" => {
                payload["comment"]["body"] = "/failfirst stop".into();
                let event = Event::parse(&name, payload.to_string().as_bytes()).unwrap();
                let asked = intent(&event, &rules());
                if is_person && payload["issue"]["state"] == "open" {
                    assert_eq!(asked.unwrap().sender.as_deref(), payload["sender"]["login"].as_str());
                    comments += 1;
                }
            }
            _ => {}
        }
    }
    assert!(labels > 0 && comments > 0, "{labels} {comments}");
}
