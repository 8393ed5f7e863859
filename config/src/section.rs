//! Sections: a struct whose doc comments are the documentation of its keys.

use crate::reader::TableReader;
use crate::value::Value;

/// A section of the file, known by name and by its keys.
pub(crate) trait Section: Sized {
    /// Name in brackets.
    const NAME: &'static str;
    /// What the section is about, a line each.
    const ABOUT: &'static [&'static str];

    /// Reads the section; what is absent or wrong has its default.
    fn read(reader: &mut TableReader<'_, '_, '_>) -> Self;

    /// Its keys with what is documented of them, in order, with the values of `self`.
    fn keys(&self) -> Vec<Key>;
}

/// A key as documentation shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// Name in the section.
    pub(crate) name: &'static str,
    /// What it does, a line each.
    pub(crate) about: Vec<&'static str>,
    /// What may stand behind it.
    pub(crate) expected: String,
    /// Its value as TOML, where there is one without being asked for.
    pub(crate) value: Option<String>,
    /// Some value as TOML.
    pub(crate) example: String,
}

impl Key {
    pub(crate) fn new<T: Value>(name: &'static str, about: &[&'static str], value: &T) -> Self {
        let about = about.iter().map(|line| line.trim()).collect();
        Self {
            name,
            about,
            expected: T::expected(),
            value: value.show(),
            example: T::example(),
        }
    }
}

/// Writes a section from its one description: for `/// Doc. key: Type = default,` the field with its
/// documentation, its line in `Default`, its reading and its entry in `keys()`.
macro_rules! section {
    (
        $(#[doc = $about:expr])*
        $visibility:vis struct $type:ident [$name:literal] {
            $( $(#[doc = $doc:expr])* $key:ident: $value:ty = $default:expr, )*
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        $visibility struct $type { $( $(#[doc = $doc])* pub $key: $value, )* }

        impl Default for $type {
            fn default() -> Self {
                Self { $( $key: $default, )* }
            }
        }

        impl $crate::section::Section for $type {
            const NAME: &'static str = $name;
            const ABOUT: &'static [&'static str] = &[$($about),*];

            fn read(reader: &mut $crate::reader::TableReader<'_, '_, '_>) -> Self {
                reader.reject_unknown(&[$( $crate::section::name(stringify!($key)), )*]);
                Self { $( $key: reader.value($crate::section::name(stringify!($key)), $default), )* }
            }

            fn keys(&self) -> Vec<$crate::section::Key> {
                vec![$(
                    $crate::section::Key::new($crate::section::name(stringify!($key)), &[$($doc),*], &self.$key),
                )*]
            }
        }
    };
}
pub(crate) use section;

/// A field's name as a key: without the mark that lets Rust's own words be names.
pub(crate) fn name(field: &'static str) -> &'static str {
    field.strip_prefix("r#").unwrap_or(field)
}
