//! A check of security that is switched off.

use std::sync::LazyLock;

use regex::Regex;

use super::scene::{Scene, View};
use super::{Hit, Rule, Side, Weight};
use crate::lang::grammar::{Grammar, call};

/// The rule.
pub(super) struct DisabledSecurity;

impl Rule for DisabledSecurity {
    fn id(&self) -> &'static str {
        "disabled-security"
    }

    fn side(&self) -> Side {
        Side::Fix
    }

    fn question(&self) -> &'static str {
        "Does the fix switch a check of security off?"
    }

    fn look(&self, view: &View<'_>, _scene: &Scene<'_>) -> Vec<Hit> {
        static PYTHON: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r"^(?:verify=False|ssl=False|verify_ssl=False|check_hostname=False|autoescape=False|(?:\w+\.)*check_hostname=False|(?:\w+\.)*verify_mode=(?:ssl\.)?CERT_NONE|cert_reqs=.*CERT_NONE.*|.verify_signature.:False|algorithms=\[.none.\])$")
                .expect("a fixed pattern")
        });
        static SCRIPT: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r#"^(?:rejectUnauthorized:false|strictSSL:false|secure:false|process\.env(?:\.|\[.)NODE_TLS_REJECT_UNAUTHORIZED.*=.*0.*|algorithms:\[.none.\]|ignoreExpiration:true)$"#)
                .expect("a fixed pattern")
        });
        let what = "the fix switches a check of security off";
        view.nodes()
            .filter(|node| {
                let squeezed = || view.text(*node).split_whitespace().collect::<String>();
                match view.grammar {
                    Grammar::Python => {
                        matches!(node.kind(), "keyword_argument" | "assignment" | "pair")
                            && PYTHON.is_match(&squeezed())
                            || matches!(node.kind(), "attribute")
                                && view.text(*node) == "ssl._create_unverified_context"
                            || node.kind() == "decorator" && view.text(*node).contains("csrf_exempt")
                    }
                    Grammar::Rust => call(*node, view.text).is_some_and(|call| {
                        matches!(
                            call.name(),
                            "danger_accept_invalid_certs" | "danger_accept_invalid_hostnames"
                        ) && call.arguments.first().is_some_and(|value| view.text(*value) == "true")
                    }),
                    Grammar::Go => {
                        node.kind() == "keyed_element" && squeezed() == "InsecureSkipVerify:true"
                            || node.kind() == "assignment_statement"
                                && squeezed().ends_with(".InsecureSkipVerify=true")
                    }
                    _ => {
                        matches!(node.kind(), "pair" | "assignment_expression")
                            && SCRIPT.is_match(&squeezed())
                    }
                }
            })
            .map(|node| Hit::at(node, view, Weight::Human, what))
            .collect()
    }
}
