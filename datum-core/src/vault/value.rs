//! A value in clear, in memory only.

use std::fmt;
use std::ops::Deref;
use zeroize::Zeroizing;

/// A value in clear: it is wiped when it goes, and its `Debug` shows its length alone.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Value(Zeroizing<Vec<u8>>);

impl Value {
    /// A value of these bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl From<Zeroizing<Vec<u8>>> for Value {
    fn from(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }
}

impl Deref for Value {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Value {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_does_not_show_itself() {
        let value = Value::new(b"hunter2".to_vec());
        assert_eq!(format!("{value:?} {:#?}", Some(&value)), "Value(7 bytes) Some(\n    Value(7 bytes),\n)");
        assert_eq!(&*value, b"hunter2");
    }
}
