//! What can stand behind a key.

use crate::reader::At;
use std::net::SocketAddr;
use std::path::PathBuf;
use toml::Spanned;
use toml::de::DeValue;

/// A type of values, as TOML. Reading checks everything that can be told from the value alone.
pub(crate) trait Value: Sized {
    /// What is accepted: the object of "expected …".
    fn expected() -> String;

    /// A value that would do, as TOML.
    fn example() -> String;

    /// The value as TOML; `None` where there is none and the key is better left out.
    fn show(&self) -> Option<String>;

    /// The value, if it is acceptable.
    fn parse(value: &DeValue<'_>) -> Option<Self>;

    /// The value, or a problem noted.
    fn read(value: &Spanned<DeValue<'_>>, at: &mut At<'_, '_>) -> Option<Self> {
        let parsed = Self::parse(value.get_ref());
        if parsed.is_none() {
            at.expected(&value.span(), &Self::expected());
        }
        parsed
    }
}

/// Text as a TOML string.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A TOML integer that is not negative.
pub(crate) fn whole(value: &DeValue<'_>) -> Option<u64> {
    let integer = value.as_integer()?;
    u64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

/// A key that may be absent.
impl<T: Value> Value for Option<T> {
    fn expected() -> String {
        T::expected()
    }

    fn example() -> String {
        T::example()
    }

    fn show(&self) -> Option<String> {
        self.as_ref().and_then(T::show)
    }

    fn parse(value: &DeValue<'_>) -> Option<Self> {
        T::parse(value).map(Some)
    }

    fn read(value: &Spanned<DeValue<'_>>, at: &mut At<'_, '_>) -> Option<Self> {
        T::read(value, at).map(Some)
    }
}

/// A list; each wrong element is a problem of its own.
impl<T: Value> Value for Vec<T> {
    fn expected() -> String {
        format!("a list, each element {}", T::expected())
    }

    fn example() -> String {
        format!("[{}]", T::example())
    }

    fn show(&self) -> Option<String> {
        let elements: Vec<_> = self.iter().filter_map(T::show).collect();
        Some(format!("[{}]", elements.join(", ")))
    }

    fn parse(value: &DeValue<'_>) -> Option<Self> {
        value
            .as_array()?
            .iter()
            .map(|element| T::parse(element.get_ref()))
            .collect()
    }

    fn read(value: &Spanned<DeValue<'_>>, at: &mut At<'_, '_>) -> Option<Self> {
        let Some(array) = value.get_ref().as_array() else {
            at.expected(&value.span(), &Self::expected());
            return None;
        };
        let elements: Vec<_> = (array.iter().enumerate())
            .map(|(index, element)| {
                T::read(
                    element,
                    &mut at.element(format!("{}[{index}]", at.key), T::example()),
                )
            })
            .collect();
        elements.into_iter().collect()
    }
}

impl Value for bool {
    fn expected() -> String {
        "true or false".to_owned()
    }

    fn example() -> String {
        "true".to_owned()
    }

    fn show(&self) -> Option<String> {
        Some(self.to_string())
    }

    fn parse(value: &DeValue<'_>) -> Option<Self> {
        value.as_bool()
    }
}

impl Value for String {
    fn expected() -> String {
        "text in quotes, not empty".to_owned()
    }

    fn example() -> String {
        quoted("text")
    }

    fn show(&self) -> Option<String> {
        Some(quoted(self))
    }

    fn parse(value: &DeValue<'_>) -> Option<Self> {
        value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
    }
}

impl Value for PathBuf {
    fn expected() -> String {
        "a path in quotes".to_owned()
    }

    fn example() -> String {
        quoted("/run/tapir/sessions.sock")
    }

    fn show(&self) -> Option<String> {
        Some(quoted(&self.to_string_lossy()))
    }

    fn parse(value: &DeValue<'_>) -> Option<Self> {
        String::parse(value).map(Self::from)
    }
}

impl Value for SocketAddr {
    fn expected() -> String {
        "an IP address and a port in quotes".to_owned()
    }

    fn example() -> String {
        quoted("127.0.0.1:9464")
    }

    fn show(&self) -> Option<String> {
        Some(quoted(&self.to_string()))
    }

    fn parse(value: &DeValue<'_>) -> Option<Self> {
        value.as_str()?.parse().ok()
    }
}
