//! Where an issue that somebody named is read from, and with which token.

use crate::issue::GitHubIssue;

/// Where an API answers and who asks.
#[derive(Clone)]
pub struct Endpoint {
    /// The base address (`https://HOST/api/v3` on a GitHub Enterprise Server).
    pub api: String,
    /// The token, if there is one.
    pub token: Option<String>,
}

impl Endpoint {
    /// The endpoint for an issue, from `GITHUB_API_URL` and the usual token variables.
    ///
    /// A token is only ever sent to the server that it belongs to: an address that names another
    /// host must not be able to collect it.
    pub fn from_environment(issue: &GitHubIssue) -> Self {
        Self::choose(issue, |name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    }

    fn choose(issue: &GitHubIssue, variable: impl Fn(&str) -> Option<String>) -> Self {
        const PUBLIC: &str = "https://api.github.com";
        let own = variable("GITHUB_API_URL").unwrap_or_else(|| PUBLIC.to_owned());
        let own = own.trim_end_matches('/').to_owned();
        let own_host = if own == PUBLIC { "github.com".to_owned() } else { host(&own) };
        let any = |names: &[&str]| names.iter().find_map(|name| variable(name));
        let tokens = ["GITHUB_TOKEN", "GH_TOKEN"];
        let (api, token) = match issue.host.as_deref() {
            None => (own, any(&tokens)),
            Some(host) if host == own_host => (own, any(&tokens)),
            Some("github.com" | "www.github.com") => (PUBLIC.to_owned(), variable("GITHUB_COM_TOKEN")),
            Some(host) => {
                let trusted = variable("GH_HOST").is_some_and(|known| known.eq_ignore_ascii_case(host));
                let token =
                    trusted.then(|| any(&["GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"])).flatten();
                (format!("https://{host}/api/v3"), token)
            }
        };
        Self { api, token }
    }
}

fn host(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_only_to_the_server_that_it_belongs_to() {
        let tokens = |name: &str| match name {
            "GITHUB_TOKEN" => Some("own".to_owned()),
            "GH_ENTERPRISE_TOKEN" => Some("ghes".to_owned()),
            "GH_HOST" => Some("git.corp.test".to_owned()),
            _ => None,
        };
        let choose = |text: &str| {
            let endpoint = Endpoint::choose(&GitHubIssue::parse(text).unwrap(), tokens);
            (endpoint.api, endpoint.token)
        };
        let own = ("https://api.github.com".to_owned(), Some("own".to_owned()));
        assert_eq!(choose("o/r#1"), own);
        assert_eq!(choose("https://github.com/o/r/issues/1"), own);
        assert_eq!(
            choose("https://git.corp.test/o/r/issues/1"),
            ("https://git.corp.test/api/v3".to_owned(), Some("ghes".to_owned()))
        );
        assert_eq!(choose("https://evil.test/o/r/issues/1").1, None);
        let on_server = |name: &str| match name {
            "GITHUB_API_URL" => Some("https://ghe.test/api/v3/".to_owned()),
            "GH_TOKEN" => Some("gh".to_owned()),
            _ => None,
        };
        let endpoint =
            Endpoint::choose(&GitHubIssue::parse("https://ghe.test/o/r/issues/1").unwrap(), on_server);
        assert_eq!(
            (endpoint.api.as_str(), endpoint.token.as_deref()),
            ("https://ghe.test/api/v3", Some("gh"))
        );
        let public = GitHubIssue::parse("https://github.com/o/r/issues/1").unwrap();
        assert_eq!(Endpoint::choose(&public, on_server).token, None);
    }
}
