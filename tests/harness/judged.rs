//! A verdict, and what a test expects of it.

#![allow(clippy::print_stdout, reason = "scripts/catalogue reads what was judged in the output of the tests")]

use failfirst::gate::verdict::{Check, FailureClass, GateReport, Outcome, Verdict, Word};

/// A verdict to look at. Each expectation that fails shows the whole verdict.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) verdict: Verdict,
}

impl Judged {
    /// Of a verdict.
    ///
    /// Says what came out, for `scripts/catalogue`, which reads the output of the tests.
    pub(crate) fn new(verdict: Verdict) -> Self {
        let decisive = match verdict.verdict {
            Word::Refused => Outcome::Fail,
            Word::NeedsHuman => Outcome::Human,
            Word::Inconclusive => Outcome::Inconclusive,
            Word::Verified => Outcome::Pass,
        };
        let first = verdict.gates.iter().find(|gate| gate.outcome == decisive && decisive != Outcome::Pass);
        let check = first.map(|gate| format!(" {}", gate.id)).unwrap_or_default();
        println!("judged: {} {}{check}", language(&verdict), verdict.verdict);
        Self { verdict }
    }

    /// The fix is verified.
    #[track_caller]
    pub(crate) fn verified(self) -> Self {
        self.word(Word::Verified)
    }

    /// Refused, first by this gate, for a reason that holds these words.
    #[track_caller]
    pub(crate) fn refused_by(self, check: Check, words: &str) -> Self {
        self.word(Word::Refused).decided_by(check, Outcome::Fail, words)
    }

    /// Left to a person, first by this gate, for a reason that holds these words.
    #[track_caller]
    pub(crate) fn needs_human(self, check: Check, words: &str) -> Self {
        self.word(Word::NeedsHuman).decided_by(check, Outcome::Human, words)
    }

    /// Not answered, first by this gate, for a reason that holds these words.
    #[track_caller]
    pub(crate) fn inconclusive(self, check: Check, words: &str) -> Self {
        self.word(Word::Inconclusive).decided_by(check, Outcome::Inconclusive, words)
    }

    /// Refused or left to a person, whoever says so.
    #[track_caller]
    pub(crate) fn not_verified(self) -> Self {
        let word = self.verdict.verdict;
        assert!(matches!(word, Word::Refused | Word::NeedsHuman), "{word}: {}", self.show());
        self
    }

    /// The gate passed.
    #[track_caller]
    pub(crate) fn passed(self, check: Check) -> Self {
        let gate = self.gate(check);
        assert_eq!(gate.outcome, Outcome::Pass, "{check} {}: {}", gate.reason, self.show());
        self
    }

    /// The gate asks for a person, for a reason that holds these words, whatever the verdict is.
    #[track_caller]
    pub(crate) fn asks(self, check: Check, words: &str) -> Self {
        let gate = self.gate(check);
        assert_eq!(gate.outcome, Outcome::Human, "{check} {}: {}", gate.reason, self.show());
        assert!(gate.reason.contains(words), "{:?} does not hold {words:?}: {}", gate.reason, self.show());
        self
    }

    /// The gate named this failure class.
    #[track_caller]
    pub(crate) fn class(self, check: Check, class: FailureClass) -> Self {
        assert_eq!(self.gate(check).class, Some(class), "{check}: {}", self.show());
        self
    }

    /// The sentence of the gate holds these words.
    #[track_caller]
    pub(crate) fn says(self, check: Check, words: &str) -> Self {
        let reason = &self.gate(check).reason;
        assert!(reason.contains(words), "{check} does not say {words:?}: {}", self.show());
        self.noted(check)
    }

    /// The evidence of the gate holds these words.
    #[track_caller]
    pub(crate) fn shows(self, check: Check, words: &str) -> Self {
        let text = serde_json::to_string(&self.gate(check).evidence).unwrap();
        assert!(text.contains(words), "{check} does not show {words:?}: {}", self.show());
        self.noted(check)
    }

    /// Says that a verified change came with a remark.
    fn noted(self, check: Check) -> Self {
        if self.verdict.verdict == Word::Verified {
            println!("judged: {} noted {check}", language(&self.verdict));
        }
        self
    }

    #[track_caller]
    fn word(self, word: Word) -> Self {
        assert_eq!(self.verdict.verdict, word, "{}", self.show());
        self
    }

    #[track_caller]
    fn decided_by(self, check: Check, outcome: Outcome, words: &str) -> Self {
        let first = self.verdict.gates.iter().find(|gate| gate.outcome == outcome);
        let first = first.unwrap_or_else(|| panic!("no gate says {outcome:?}: {}", self.show()));
        assert_eq!(first.id, check, "{}", self.show());
        assert!(first.reason.contains(words), "{:?} does not hold {words:?}: {}", first.reason, self.show());
        self
    }

    #[track_caller]
    fn gate(&self, check: Check) -> &GateReport {
        self.verdict.gates.iter().find(|gate| gate.id == check).expect("every gate reports")
    }

    fn show(&self) -> String {
        let Verdict { verdict, summary, tests, gates, .. } = &self.verdict;
        let asked = gates.iter().filter(|gate| gate.outcome != Outcome::Skipped);
        let lines = asked.map(|gate| {
            let evidence = serde_json::to_string(&gate.evidence).unwrap();
            format!("{} {:?} {:?}: {}\n    {evidence}\n", gate.id, gate.outcome, gate.class, gate.reason)
        });
        format!("\n{verdict}: {summary}\ntests {tests:?}\n{}", lines.collect::<String>())
    }
}

/// The language that the verdict names first.
fn language(verdict: &Verdict) -> &str {
    verdict.languages.first().and_then(|one| one.split(':').next()).unwrap_or("unknown")
}
