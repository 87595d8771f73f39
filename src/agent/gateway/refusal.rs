//! The gateway's own answers, in the shape in which each provider reports errors.

use serde_json::{Value, json};

use super::Provider;

/// Why the gateway answers itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reason {
    /// The token is not that of an attempt under way.
    Stranger,
    /// What is asked for is no call of a model.
    NotServed,
    /// The request cannot be read.
    BadRequest,
    /// A budget ran out.
    OverBudget,
    /// The provider cannot be reached or its answer cannot be passed on.
    Upstream,
}

impl Reason {
    /// The HTTP status. Over budget is one that no client tries again.
    pub(super) fn status(self) -> u16 {
        match self {
            Self::Stranger => 401,
            Self::NotServed => 404,
            Self::BadRequest | Self::OverBudget => 400,
            Self::Upstream => 502,
        }
    }
}

/// The body of an answer.
pub(super) fn body(provider: Option<Provider>, reason: Reason, text: &str) -> Value {
    let message = format!("failfirst: {text}");
    match provider {
        Some(Provider::Anthropic) => {
            let kind = match reason {
                Reason::Stranger => "authentication_error",
                Reason::NotServed => "not_found_error",
                Reason::BadRequest | Reason::OverBudget => "invalid_request_error",
                Reason::Upstream => "api_error",
            };
            json!({"type": "error", "error": {"type": kind, "message": message}})
        }
        Some(Provider::Gemini) => {
            let status = match reason {
                Reason::Stranger => "UNAUTHENTICATED",
                Reason::NotServed => "NOT_FOUND",
                Reason::BadRequest => "INVALID_ARGUMENT",
                Reason::OverBudget => "FAILED_PRECONDITION",
                Reason::Upstream => "UNAVAILABLE",
            };
            json!({"error": {"code": reason.status(), "message": message, "status": status}})
        }
        Some(Provider::OpenAi) | None => {
            let kind = match reason {
                Reason::OverBudget => "insufficient_quota",
                Reason::Upstream => "server_error",
                Reason::Stranger | Reason::NotServed | Reason::BadRequest => "invalid_request_error",
            };
            json!({"error": {"message": message, "type": kind, "param": null, "code": kind}})
        }
    }
}
