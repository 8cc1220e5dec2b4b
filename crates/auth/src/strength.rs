//! Which passwords are accepted, and why not.
//!
//! Characters are counted, not bytes; there are no rules of composition unless somebody asks for them; a password that
//! everybody tries first is refused whatever its length (NIST SP 800-63B-4, section 3.1.1.2).

use types::Limits;

use crate::codes;
use crate::config::{Passwords, Requirements};
use crate::error::{AuthError, AuthResult};

const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &str = "0123456789";
const SYMBOLS: &str = "!@#$%^&*()_+-=[]{};'\\:\"|<>?,./`~";

impl Requirements {
    fn sets(self) -> &'static [&'static str] {
        match self {
            Requirements::None => &[],
            Requirements::LettersDigits => &[LETTERS, DIGITS],
            Requirements::LowerUpperLettersDigits => &[LOWER, UPPER, DIGITS],
            Requirements::LowerUpperLettersDigitsSymbols => &[LOWER, UPPER, DIGITS, SYMBOLS],
        }
    }
}

/// Refuses a password that is too long to be looked at.
///
/// # Errors
/// `validation_failed`
pub(crate) fn check_length(password: &str, limits: &Limits) -> AuthResult<()> {
    let most = limits.password_bytes_max;
    if password.len() > most {
        let message = format!("Password cannot be longer than {most} characters");
        return Err(AuthError::new(codes::VALIDATION_FAILED, message));
    }
    Ok(())
}

/// Why a password is weak: messages and reasons; both empty for a good one. `email` is whose it is.
pub(crate) fn weaknesses(password: &str, email: &str, rules: &Passwords) -> (String, Vec<&'static str>) {
    let (mut messages, mut reasons) = (Vec::new(), Vec::new());
    if password.chars().count() < rules.minimum_length {
        messages.push(format!("Password should be at least {} characters.", rules.minimum_length));
        reasons.push("length");
    }
    let sets = rules.requirements.sets();
    if sets.iter().any(|set| !password.contains(|c| set.contains(c))) {
        messages
            .push(format!("Password should contain at least one character of each: {}.", sets.join(", ")));
        reasons.push("characters");
    }
    if rules.refuse_common && is_common(password, email) {
        let message = "Password is known to be weak and easy to guess, please choose a different one.";
        messages.push(message.into());
        reasons.push("pwned");
    }
    (messages.join(" "), reasons)
}

/// Refuses a weak password.
///
/// # Errors
/// `weak_password` with its reasons.
pub(crate) fn check(password: &str, email: &str, rules: &Passwords) -> AuthResult<()> {
    let (message, reasons) = weaknesses(password, email, rules);
    if reasons.is_empty() { Ok(()) } else { Err(AuthError::weak(message, reasons)) }
}

/// Whether a password is among the first that anybody tries: its owner's address, a common word, one character or
/// sequence over and over; digits and signs around a word, capitals and the usual replacements do not help.
fn is_common(password: &str, email: &str) -> bool {
    let lower = password.to_lowercase();
    let core = core_of(&lower);
    let local = email.split('@').next().unwrap_or_default();
    (!email.is_empty() && (lower == email || lower == local || core == core_of(local) && core.len() >= 4))
        || is_word(&lower)
        || is_word(&core)
        || is_monotonous(&lower)
}

fn is_word(text: &str) -> bool {
    common().any(|word| word == text) || is_repeated(text)
}

fn common() -> impl Iterator<Item = &'static str> {
    COMMON.split(' ')
}

/// A common word over and over.
fn is_repeated(text: &str) -> bool {
    common().any(|word| {
        text.len() > word.len()
            && text.len().is_multiple_of(word.len())
            && word.repeat(text.len() / word.len()) == text
    })
}

/// A password without the digits and signs around it, letters put back for the usual replacements.
fn core_of(lower: &str) -> String {
    let trimmed = lower.trim_matches(|c: char| !c.is_alphabetic() && !"@$0134570".contains(c));
    let plain = |c: char| match c {
        '@' | '4' => 'a',
        '3' => 'e',
        '1' => 'i',
        '0' => 'o',
        '$' | '5' => 's',
        '7' => 't',
        other => other,
    };
    let stripped = trimmed.trim_end_matches(|c: char| c.is_ascii_digit());
    stripped.chars().map(plain).collect()
}

/// At most two different characters, or all in the order of the alphabet, the digits or the keyboard.
fn is_monotonous(lower: &str) -> bool {
    const ORDERS: &[&str] = &[
        "abcdefghijklmnopqrstuvwxyz",
        "01234567890123456789",
        "qwertyuiop",
        "asdfghjkl",
        "zxcvbnm",
        "qwertyuiopasdfghjklzxcvbnm",
        "1q2w3e4r5t6y7u8i9o0p",
        "qazwsxedcrfvtgbyhnujmikolp",
        "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.",
    ];
    let distinct = lower.chars().collect::<std::collections::BTreeSet<_>>().len();
    let backwards = || lower.chars().rev().collect::<String>();
    distinct <= 2 || ORDERS.iter().any(|order| order.contains(lower) || order.contains(&backwards()))
}

/// Common words: what lists of leaked passwords have at their top, reduced to its core.
const COMMON: &str = "\
    abc abcabc abcd access adm admin administrator adobe alexander andrea andrew angel angels anthony apple \
    arsenal asdasd asdf ashley austin azerty babygirl bailey banana barcelona baseball basketball batman \
    biteme buster butterfly carlos changeit changeme charlie cheese chelsea chicken chocolate chris computer \
    cookie corvette cowboy dallas daniel database default diamond donald dragon dubsmash eagles elizabeth \
    family ferrari flower football forever freedom friends fuckme fuckyou gfhjkm ginger golfer google guest \
    hammer hannah harley hello hockey hottie hunter iloveyou internet jackson jasmine jennifer jessica jesus \
    jordan joshua justin killer klaster letmein liverpool login london love lovely loveme maggie manchester \
    marina martin master matrix matthew melissa mercedes merlin michael michelle mickey midnight monkey \
    mustang mynoob naruto nicole ninja nothing orange p pass passw passwd password patrick peanut pepper \
    phoenix player pokemon pretty princess purple pussy qazwsx qqww qwe qweasd qweasdzxc qwer qwert qwerty \
    qwertyui qwertyuiop rachel ranger robert rockyou root samantha samsung scooter secret shadow silver \
    simple soccer sophie spiderman starwars steelers summer sunshine superman supersecret taylor tennis test \
    tester testing testtest thomas thunder tigger tinkle trustno unknown user victoria welcome whatever \
    william winner winter yankees zaq zinch zxcvbn zxcvbnm";

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(minimum_length: usize, requirements: Requirements, refuse_common: bool) -> Passwords {
        Passwords { minimum_length, requirements, refuse_common }
    }

    #[track_caller]
    fn check_reasons(password: &str, rules: &Passwords, expected: &[&str]) {
        assert_eq!(weaknesses(password, "ada.lovelace@example.org", rules).1, expected, "{password}");
    }

    #[test]
    fn length_is_counted_in_characters() {
        let rules = rules(6, Requirements::None, false);
        check_reasons("123", &rules, &["length"]);
        check_reasons("\u{e4}\u{f6}\u{fc}\u{df}\u{20ac}", &rules, &["length"]);
        check_reasons("\u{e4}\u{f6}\u{fc}\u{df}\u{20ac}x", &rules, &[]);
        let message = weaknesses("123", "", &rules).0;
        assert_eq!(message, "Password should be at least 6 characters.");
    }

    #[test]
    fn required_characters_are_named() {
        let rules = rules(4, Requirements::LowerUpperLettersDigits, false);
        check_reasons("lower1", &rules, &["characters"]);
        check_reasons("loWer1", &rules, &[]);
        let message = weaknesses("abcd", "", &rules).0;
        assert!(message.ends_with(&format!("of each: {LOWER}, {UPPER}, {DIGITS}.")), "{message}");
    }

    #[test]
    fn h4_what_everybody_tries_first_is_refused_and_long_ones_are_accepted() {
        let rules = rules(6, Requirements::None, true);
        for password in [
            "password",
            "Password1!",
            "P@ssw0rd",
            "123456789",
            "qwerty123",
            "letmein",
            "iloveyou2",
            "aaaaaaaaaaaaaaaa",
            "passwordpassword",
            "admin123456",
            "1q2w3e4r5t",
            "987654321",
            "ada.lovelace@example.org",
            "Ada.Lovelace99",
        ] {
            check_reasons(password, &rules, &["pwned"]);
        }
        for password in
            ["correct horse battery staple", &"long and good ".repeat(20), &"\u{1f40e}\u{1f50b}x ".repeat(16)]
        {
            check_reasons(password, &rules, &[]);
        }
    }

    #[test]
    fn f9_a_password_beyond_the_limit_is_refused_before_hashing() {
        let limits = Limits::default();
        assert!(check_length(&"x".repeat(256), &limits).is_ok());
        let refused = check_length(&"x".repeat(10 << 20), &limits).unwrap_err();
        assert_eq!(refused.code(), codes::VALIDATION_FAILED);
    }
}
