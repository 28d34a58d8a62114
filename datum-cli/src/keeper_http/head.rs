//! The head of a request, read strictly: what could be read in two ways is refused (RFC 9112, sections 3 and 6).

/// Largest head, bytes.
pub(super) const HEAD_MAX: usize = 8 * 1024;
/// Largest body, bytes; a value over the wire is smaller than one in the vault may be.
pub(super) const BODY_MAX: usize = 256 * 1024;
const HEADERS_MAX: usize = 32;

/// What a request may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Post,
}

/// What the head says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) token: Option<String>,
    /// Bytes of the body.
    pub(super) length: usize,
    /// Bytes of the head itself.
    pub(super) size: usize,
}

/// A request that is not answered further: the status, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refusal(pub(super) u16, pub(super) &'static str);

/// Reads a head from the bytes that have come; `None` when more must come.
pub(super) fn parse(bytes: &[u8], hosts: &[String]) -> Result<Option<Head>, Refusal> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut headers);
    let size = match request.parse(bytes) {
        Ok(httparse::Status::Complete(size)) if size <= HEAD_MAX => size,
        Ok(httparse::Status::Partial) if bytes.len() < HEAD_MAX => return Ok(None),
        Ok(_) => return Err(Refusal(431, "the head is too large")),
        Err(httparse::Error::TooManyHeaders) => return Err(Refusal(431, "the head has too many fields")),
        Err(_) => return Err(Refusal(400, "it is no request of HTTP/1.1")),
    };
    let method = match request.method {
        Some("GET") => Method::Get,
        Some("POST") => Method::Post,
        _ => return Err(Refusal(405, "only GET and POST are answered")),
    };
    let path = request.path.unwrap_or_default();
    let plain = |c: u8| c.is_ascii_alphanumeric() || b"/-_".contains(&c);
    if !path.starts_with('/') || !path.bytes().all(plain) {
        return Err(Refusal(400, "the path is none of the keeper's"));
    }
    let fields = Fields(request.headers);
    check(&fields, hosts)?;
    let length = match fields.one("content-length")? {
        None => 0,
        Some(text) => {
            let digits =
                !text.is_empty() && text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit());
            let length = text.parse().ok().filter(|_| digits);
            length.ok_or(Refusal(400, "Content-Length is no number"))?
        }
    };
    if length > BODY_MAX {
        return Err(Refusal(413, "the body is too large"));
    }
    match method {
        Method::Get if length > 0 => return Err(Refusal(400, "a GET has no body")),
        Method::Post => {
            let kind = fields.one("content-type")?.unwrap_or_default().to_ascii_lowercase();
            let kind = kind.split(';').next().unwrap_or_default().trim();
            if kind != "application/json" {
                return Err(Refusal(415, "the body must be application/json"));
            }
        }
        Method::Get => {}
    }
    let token = fields.one("authorization")?.map(bearer).transpose()?;
    Ok(Some(Head { method, path: path.to_owned(), token, length, size }))
}

/// Refuses what a page in a browser could send, and what two readers could read differently.
fn check(fields: &Fields<'_, '_>, hosts: &[String]) -> Result<(), Refusal> {
    let host = fields.one("host")?.ok_or(Refusal(400, "there is no Host"))?;
    if !hosts.iter().any(|known| known.eq_ignore_ascii_case(host)) {
        return Err(Refusal(403, "this Host is not served"));
    }
    for browser in ["origin", "sec-fetch-site", "sec-fetch-mode"] {
        if fields.one(browser)?.is_some() {
            return Err(Refusal(403, "pages are not answered"));
        }
    }
    if fields.one("transfer-encoding")?.is_some() {
        return Err(Refusal(400, "only bodies of a Content-Length are read"));
    }
    if fields.one("expect")?.is_some() {
        return Err(Refusal(417, "nothing is expected"));
    }
    Ok(())
}

fn bearer(text: &str) -> Result<String, Refusal> {
    let wrong = Refusal(401, "Authorization is no Bearer token");
    let (scheme, token) = text.split_once(' ').ok_or(wrong)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    let good = scheme.eq_ignore_ascii_case("bearer")
        && (16..=128).contains(&token.len())
        && token.bytes().all(plain);
    if good { Ok(token.to_owned()) } else { Err(wrong) }
}

struct Fields<'h, 'b>(&'h [httparse::Header<'b>]);

impl<'b> Fields<'_, 'b> {
    /// The value of a field that may stand once.
    fn one(&self, name: &str) -> Result<Option<&'b str>, Refusal> {
        let mut found = self.0.iter().filter(|field| field.name.eq_ignore_ascii_case(name));
        let Some(first) = found.next() else { return Ok(None) };
        if found.next().is_some() {
            return Err(Refusal(400, "a field stands twice"));
        }
        let text = std::str::from_utf8(first.value).map_err(|_| Refusal(400, "a field is no text"))?;
        Ok(Some(text.trim_matches([' ', '\t'])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hosts() -> Vec<String> {
        vec!["localhost".to_owned()]
    }

    fn status(text: &str) -> u16 {
        match parse(text.as_bytes(), &hosts()) {
            Ok(Some(_)) => 200,
            Ok(None) => 100,
            Err(Refusal(status, _)) => status,
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        let post = |fields: &str| {
            format!(
                "POST /api/secrets/get HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{fields}\r\n\r\n"
            )
        };
        let get =
            |path: &str, fields: &str| format!("GET {path} HTTP/1.1\r\nHost: localhost{fields}\r\n\r\n");
        for (text, expect) in [
            (get("/api/health", ""), 200),
            (post("Content-Length: 2"), 200),
            ("GET /api/health HTTP/1.1\r\nHost: loc".to_owned(), 100),
            (get("/api/health", "\r\nContent-Length: 5"), 400),
            (get("/api/../x", ""), 400),
            (get("/api/%2e%2e", ""), 400),
            (get("http://localhost/api/health", ""), 400),
            (get("/api/health?x", ""), 400),
            (get("/api/health", "\r\nHost: localhost"), 400),
            ("GET /api/health HTTP/1.1\r\n\r\n".to_owned(), 400),
            ("GET /api/health HTTP/1.1\r\nHost: evil.example\r\n\r\n".to_owned(), 403),
            ("DELETE /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(), 405),
            (get("/api/health", "\r\nOrigin: http://localhost"), 403),
            (get("/api/health", "\r\nSec-Fetch-Site: none"), 403),
            (get("/api/health", "\r\nAuthorization: Basic eDp5"), 401),
            (get("/api/health", "\r\nAuthorization: Bearer short"), 401),
            (post("Content-Length: 2\r\nContent-Length: 2"), 400),
            (post("Content-Length: 2\r\nTransfer-Encoding: chunked"), 400),
            (post("Content-Length: +2"), 400),
            (post("Content-Length: 0x2"), 400),
            (post("Content-Length: 99999999999"), 400),
            (post("Content-Length: 999999999"), 413),
            (post("Content-Length: 2\r\nContent-Type: text/plain"), 400),
            (post("Content-Length : 2"), 400),
            (post("Content-Length: 2\r\n folded: x"), 400),
            ("POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\n".to_owned(), 415),
            (post("Expect: 100-continue"), 417),
            (get("/api/health", &"\r\nA: b".repeat(40)), 431),
            (get("/api/health", &format!("\r\nA: {}", "b".repeat(9000))), 431),
            (format!("GET /{}", "a".repeat(9000)), 431),
            ("\x16\x03\x01\x02".to_owned(), 400),
        ] {
            assert_eq!(status(&text), expect, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_fall_over(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&bytes, &hosts());
        }

        #[test]
        fn near_requests_are_read_or_refused(
            method in "(GET|POST|PUT|get|)", path in "[/a-z.%? ]{0,20}", fields in prop::collection::vec(
                ("(Host|host|Origin|Content-Length|Transfer-Encoding|Authorization|Content-Type|[a-zA-Z -]{1,8})",
                 "(localhost|5|chunked|Bearer [a-z]{20}|application/json|[ -~]{0,12})"), 0..6),
            end in "(\r\n|\n|\r\r|)",
        ) {
            let mut text = format!("{method} {path} HTTP/1.1\r\n");
            for (name, value) in &fields {
                text.extend([name.as_str(), ": ", value.as_str(), "\r\n"]);
            }
            text.push_str(&end);
            if let Ok(Some(head)) = parse(text.as_bytes(), &hosts()) {
                let count = |name: &str| fields.iter().filter(|(field, _)| field.eq_ignore_ascii_case(name)).count();
                prop_assert!(count("host") == 1 && count("origin") == 0 && count("transfer-encoding") == 0);
                prop_assert!(count("content-length") <= 1 && head.length <= BODY_MAX && head.size == text.len());
            }
        }
    }
}
