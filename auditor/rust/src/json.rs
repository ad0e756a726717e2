//! JSON as it is kept between starts: as compact as it was written, whole numbers alone, without floating point.

use std::borrow::Cow;

/// Lists and mappings in each other; what is kept has a tenth of that.
const DEEPEST: usize = 100;

/// A value of JSON. Text without escapes is where it was read; mappings keep their order.
#[derive(Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// null
    Null,
    /// true or false
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// Text.
    Text(Cow<'a, str>),
    /// A list.
    List(Vec<Value<'a>>),
    /// A mapping by text.
    Mapping(Vec<(Cow<'a, str>, Value<'a>)>),
}

/// Read a document; none where it is no JSON, or other JSON than is kept.
#[must_use]
pub fn read(text: &[u8]) -> Option<Value<'_>> {
    let mut reader = Reader { text: std::str::from_utf8(text).ok()?, at: 0 };
    let value = reader.value(DEEPEST)?;
    (reader.at == text.len()).then_some(value)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn next(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn takes(&mut self, word: &str) -> bool {
        let there = self.text.as_bytes()[self.at..].starts_with(word.as_bytes());
        self.at += if there { word.len() } else { 0 };
        there
    }

    fn value(&mut self, depth: usize) -> Option<Value<'a>> {
        match self.next()? {
            b'"' => self.words().map(Value::Text),
            b'[' => self.items(depth.checked_sub(1)?, "]", Self::value).map(Value::List),
            b'{' => self.items(depth.checked_sub(1)?, "}", Self::pair).map(Value::Mapping),
            b'n' => self.takes("null").then_some(Value::Null),
            b't' => self.takes("true").then_some(Value::Flag(true)),
            b'f' => self.takes("false").then_some(Value::Flag(false)),
            _ => self.number().map(Value::Number),
        }
    }

    fn pair(&mut self, depth: usize) -> Option<(Cow<'a, str>, Value<'a>)> {
        let key = self.words()?;
        Some((key, self.takes(":").then(|| self.value(depth))??))
    }

    /// What stands in brackets of either kind, the first of which is next.
    fn items<T>(&mut self, depth: usize, end: &str, item: impl Fn(&mut Self, usize) -> Option<T>) -> Option<Vec<T>> {
        self.at += 1;
        let mut found = Vec::new();
        if self.takes(end) {
            return Some(found);
        }
        loop {
            found.push(item(self, depth)?);
            if self.takes(end) {
                return Some(found);
            }
            if !self.takes(",") {
                return None;
            }
        }
    }

    fn number(&mut self) -> Option<i64> {
        let rest = &self.text[self.at..];
        let length = rest.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'-').count();
        self.at += length;
        rest[..length].parse().ok()
    }

    fn words(&mut self) -> Option<Cow<'a, str>> {
        if !self.takes("\"") {
            return None;
        }
        let mut found = Cow::Borrowed("");
        loop {
            let rest = &self.text[self.at..];
            let length = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))?;
            self.at += length;
            // The first of an empty text is the rest itself: nothing is copied where nothing is escaped.
            found += &rest[..length];
            match self.next()? {
                b'"' => {
                    self.at += 1;
                    return Some(found);
                }
                b'\\' => found.to_mut().push(self.escaped()?),
                _ => return None,
            }
        }
    }

    fn escaped(&mut self) -> Option<char> {
        let kind = *self.text.as_bytes().get(self.at + 1)?;
        self.at += 2;
        Some(match kind {
            b'"' | b'\\' | b'/' => char::from(kind),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.unit()?;
                let second = if (0xd800..0xdc00).contains(&first) && self.takes("\\u") { self.unit() } else { None };
                char::decode_utf16([Some(first), second].into_iter().flatten()).next()?.ok()?
            }
            _ => return None,
        })
    }

    fn unit(&mut self) -> Option<u16> {
        let digits = self.text.get(self.at..self.at + 4)?;
        self.at += 4;
        digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(words: &str) -> Value<'_> {
        Value::Text(Cow::Borrowed(words))
    }

    #[test]
    fn every_kind_of_value_is_read() {
        let found = read(br#"{"b":[1,-20,true,false,null],"a":{},"":["x",[]]}"#);
        let numbers = vec![Value::Number(1), Value::Number(-20), Value::Flag(true), Value::Flag(false), Value::Null];
        let expected = vec![
            ("b".into(), Value::List(numbers)),
            ("a".into(), Value::Mapping(vec![])),
            ("".into(), Value::List(vec![text("x"), Value::List(vec![])])),
        ];
        assert_eq!(found, Some(Value::Mapping(expected)));
    }

    #[test]
    fn escapes_are_what_they_stand_for() {
        let found = read(br#""a\"\\\/\b\f\n\r\t\u03bcz\ud83d\ude00""#);
        assert_eq!(found, Some(text("a\"\\/\u{8}\u{c}\n\r\t\u{3bc}z\u{1f600}")));
        assert_eq!(read("\"\u{3bc}\"".as_bytes()), Some(text("\u{3bc}")));
    }

    #[test]
    fn nothing_is_copied_where_nothing_is_escaped() {
        assert!(matches!(read(b"\"plain\""), Some(Value::Text(Cow::Borrowed("plain")))));
    }

    #[test]
    fn what_is_no_such_json_is_refused() {
        let long = "[".repeat(DEEPEST + 1) + &"]".repeat(DEEPEST + 1);
        for wrong in [
            "",
            "[",
            "[1",
            "[1,",
            "[1,]",
            "{\"a\"}",
            "{\"a\":}",
            "{1:2}",
            "1 ",
            "1.5",
            "1e3",
            "--1",
            "nul",
            "\"",
            "\"\\",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\u+123\"",
            "\"\\ud800\"",
            "\"\\ud800\\u0041\"",
            "\"\\udc00\"",
            "\"\n\"",
            "]",
            "99999999999999999999",
            "[1]]",
            "\"\\u12\u{3bc}\"",
            &long,
        ] {
            assert_eq!(read(wrong.as_bytes()), None, "{wrong}");
        }
        assert_eq!(read(b"\"\xff\""), None);
        assert!(read(&long.as_bytes()[1..long.len() - 1]).is_some());
    }

    #[test]
    fn a_document_cut_anywhere_is_refused() {
        let whole = br#"{"a":["b",{"c":"\u03bc"}],"d":-1}"#;
        for end in 0..whole.len() {
            assert_eq!(read(&whole[..end]), None);
        }
        assert!(read(whole).is_some());
    }
}
