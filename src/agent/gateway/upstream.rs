//! Where the providers are and what opens them. Only this file and the scrubber see a key.

use std::collections::BTreeMap;
use std::path::PathBuf;

use reqwest::Url;
use reqwest::header::{HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use super::{GatewayError, Provider};

/// Keys of providers, and the files that they were read from.
#[derive(Default)]
pub struct Keys {
    keys: BTreeMap<Provider, SecretString>,
    files: Vec<PathBuf>,
}

impl Keys {
    /// From `ANTHROPIC_API_KEY` and its like, or the file that `ANTHROPIC_API_KEY_FILE` names. The
    /// variable counts where both are set.
    ///
    /// # Errors
    /// A key file cannot be read, or a key holds what no header can.
    pub fn from_variables(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, GatewayError> {
        let mut found = Self::default();
        for provider in Provider::ALL {
            let name = provider.key_variable();
            let file_name = format!("{name}_FILE");
            let file = variable(&file_name).filter(|file| !file.is_empty()).map(PathBuf::from);
            let mut from = name.to_owned();
            let mut key = variable(name).filter(|key| !key.trim().is_empty());
            if let Some(file) = file {
                if key.is_none() {
                    let what = |error: std::io::Error| GatewayError::Key {
                        variable: file_name.clone(),
                        what: format!("{}: {error}", file.display()),
                    };
                    key = Some(std::fs::read_to_string(&file).map_err(what)?);
                    from.clone_from(&file_name);
                }
                found.files.extend(file.canonicalize().ok());
            }
            let Some(key) = key.map(|key| key.trim().to_owned()).filter(|key| !key.is_empty()) else {
                continue;
            };
            if key.len() < 8 || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
                let what = "it holds no key: too short, or characters that no key has".to_owned();
                return Err(GatewayError::Key { variable: from, what });
            }
            found.keys.insert(provider, key.into());
        }
        Ok(found)
    }

    /// The key files, which no agent may see.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// True when there is one for the provider.
    pub fn has(&self, provider: Provider) -> bool {
        self.keys.contains_key(&provider)
    }
}

/// A provider that can be called.
pub struct Upstream {
    base: Url,
    key: Option<SecretString>,
}

/// The providers that can be called.
#[derive(Default)]
pub struct Upstreams(BTreeMap<Provider, Upstream>);

impl Upstreams {
    /// The providers that have a key, and those whose address is on this machine, which need none.
    ///
    /// # Errors
    /// An address that cannot be used.
    pub fn new(keys: &Keys, variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, GatewayError> {
        let mut found = BTreeMap::new();
        for provider in Provider::ALL {
            let name = provider.upstream_variable();
            let own = variable(name).filter(|value| !value.trim().is_empty());
            let text = own.as_deref().unwrap_or(provider.public());
            let wrong = || GatewayError::Address { variable: name, value: text.to_owned() };
            let base = Url::parse(text.trim_end_matches('/')).map_err(|_| wrong())?;
            if !matches!(base.scheme(), "http" | "https")
                || base.host_str().is_none()
                || base.query().is_some()
            {
                return Err(wrong());
            }
            let key = keys.keys.get(&provider).cloned();
            let upstream = Upstream { base, key };
            if upstream.key.is_some() || upstream.is_local() {
                found.insert(provider, upstream);
            }
        }
        Ok(Self(found))
    }

    /// The provider's address and key.
    ///
    /// # Errors
    /// [`GatewayError::NoKey`].
    pub fn of(&self, provider: Provider) -> Result<&Upstream, GatewayError> {
        self.0.get(&provider).ok_or(GatewayError::NoKey { provider })
    }
}

impl Upstream {
    /// True when it is on this machine.
    pub fn is_local(&self) -> bool {
        match self.base.host() {
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            Some(url::Host::Domain(name)) => name == "localhost",
            None => false,
        }
    }

    pub(super) fn key(&self) -> Option<SecretString> {
        self.key.clone()
    }

    /// The address of a call.
    pub(super) fn url(&self, path: &str, query: Option<&str>) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        url.set_query(query);
        url
    }

    /// The header that opens the provider, marked as sensitive.
    pub(super) fn header(&self, provider: Provider) -> Option<(HeaderName, HeaderValue)> {
        let key = self.key.as_ref()?.expose_secret();
        let (name, value) = match provider {
            Provider::Anthropic => ("x-api-key", key.to_owned()),
            Provider::OpenAi => ("authorization", format!("Bearer {key}")),
            Provider::Gemini => ("x-goog-api-key", key.to_owned()),
        };
        let mut value = HeaderValue::from_str(&value).ok()?;
        value.set_sensitive(true);
        Some((HeaderName::from_static(name), value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> + use<> {
        let pairs: BTreeMap<_, _> = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        move |name: &str| pairs.get(name).cloned()
    }

    #[test]
    fn a_provider_needs_a_key_unless_it_is_on_this_machine() {
        let variable = variables(&[
            ("ANTHROPIC_API_KEY", "sk-ant-123456"),
            ("OPENAI_BASE_URL", "http://127.0.0.1:8080/v1/"),
        ]);
        let upstreams = Upstreams::new(&Keys::from_variables(&variable).unwrap(), &variable).unwrap();
        let url = |provider, path| upstreams.of(provider).unwrap().url(path, Some("a=b")).to_string();
        assert_eq!(url(Provider::Anthropic, "/v1/messages"), "https://api.anthropic.com/v1/messages?a=b");
        assert_eq!(url(Provider::OpenAi, "/responses"), "http://127.0.0.1:8080/v1/responses?a=b");
        let error = upstreams.of(Provider::Gemini).err().unwrap().to_string();
        assert!(error.contains("set GEMINI_API_KEY or GEMINI_API_KEY_FILE"), "{error}");
    }

    #[test]
    fn a_key_comes_from_a_file_and_is_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        std::fs::write(&file, "sk-ant-123456\n").unwrap();
        let variable = variables(&[("ANTHROPIC_API_KEY_FILE", file.to_str().unwrap())]);
        let keys = Keys::from_variables(&variable).unwrap();
        let upstreams = Upstreams::new(&keys, &variable).unwrap();
        let (name, value) = upstreams.of(Provider::Anthropic).unwrap().header(Provider::Anthropic).unwrap();
        assert_eq!((name.as_str(), value.as_bytes()), ("x-api-key", &b"sk-ant-123456"[..]));
        assert!(!format!("{value:?}").contains("123456"));
        assert_eq!(keys.files(), [file.canonicalize().unwrap()]);
    }

    #[test]
    fn nonsense_is_refused_by_its_name() {
        let text = |pairs: &[(&str, &str)]| {
            let variable = variables(pairs);
            let made = Keys::from_variables(&variable).and_then(|keys| Upstreams::new(&keys, &variable));
            made.err().unwrap().to_string()
        };
        assert!(text(&[("OPENAI_BASE_URL", "ftp://x")]).starts_with("OPENAI_BASE_URL is \"ftp://x\""));
        let error = text(&[("OPENAI_API_KEY", "two words here")]);
        assert!(
            error.starts_with("OPENAI_API_KEY: it holds no key") && !error.contains("two words"),
            "{error}"
        );
        assert!(text(&[("GEMINI_API_KEY_FILE", "/no/such")]).contains("GEMINI_API_KEY_FILE: /no/such"));
    }
}
