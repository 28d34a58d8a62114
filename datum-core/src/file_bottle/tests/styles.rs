use super::super::*;
use super::fixtures;
use std::fmt::Write as _;

/// What a bottle resolved to, one line a field.
fn shown(path: &str, text: &[u8]) -> String {
    let bottle = read(path, text);
    assert_eq!(bottle.body, text, "{path}: the body is the whole text");
    let mut out = String::new();
    let mut line = |field: Field, value: Option<String>| {
        if let (Some(value), Some(rung)) = (value, bottle.rung(field)) {
            let _ = writeln!(out, "{}: {value} [{}]", field.as_str(), rung.as_str());
        }
    };
    let agent = |agent: &AgentRef| match &agent.name {
        Some(name) if name.as_str() != agent.text => format!("{} = {name}", agent.text),
        _ if agent.is_everyone() => format!("{} = everyone", agent.text),
        _ => agent.text.clone(),
    };
    line(Field::Sender, bottle.sender.as_ref().map(|r| agent(&r.value)));
    let list = |agents: &Vec<AgentRef>| agents.iter().map(agent).collect::<Vec<_>>().join("; ");
    line(Field::Recipient, bottle.recipients.as_ref().map(|r| list(&r.value)));
    line(Field::Date, bottle.date.as_ref().map(|r| r.value.to_string()));
    for (field, value) in [
        (Field::Kind, &bottle.kind),
        (Field::Subject, &bottle.subject),
        (Field::InReplyTo, &bottle.in_reply_to),
        (Field::Priority, &bottle.priority),
    ] {
        line(field, value.as_ref().map(|r| r.value.clone()));
    }
    out
}

#[test]
#[expect(clippy::too_many_lines, reason = "one snapshot of all styles")]
fn every_style_resolves_as_written() {
    let mut out = String::new();
    for (path, text) in fixtures().iter().filter(|(path, _)| is_bottle_path(path)) {
        let _ = writeln!(out, "# {path}\n{}", shown(path, text));
    }
    insta::assert_snapshot!(out, @r#"
    # bottles/BOTTLE-order-1.yaml
    sender: tern [front-matter]
    recipient: heron [front-matter]
    date: 2026-03-18T10:00+01:00 [front-matter]
    type: command [front-matter]
    subject: order [file-name]

    # bottles/BOTTLE-order-2.json
    sender: tern [front-matter]
    recipient: heron [front-matter]
    date: 2026-03-19T10:00Z [front-matter]
    type: query [front-matter]
    subject: Depth? [front-matter]

    # comments/from-plover2/2026-03-16_knots.md
    sender: plover2 [directory]
    date: 2026-03-16 [file-name]
    subject: A better knot [title]

    # for-fleet/2026-03-09-tides.i2i
    sender: Tern = tern [i2i-title]
    recipient: Heron = heron [i2i-title]
    date: 2026-03-09 [file-name]
    type: DELIVERABLE [i2i-title]
    subject: Tide tables for spring [i2i-title]

    # for-fleet/2026-03-10-scope.i2i
    sender: Tern = tern [i2i-scope]
    recipient: fleet = everyone [directory]
    date: 2026-03-10 [file-name]
    type: STATUS [i2i-title]
    subject: Ropes are dry [i2i-title]

    # for-fleet/2026-03-11-to-one.i2i
    sender: Tern = tern [signature]
    recipient: fleet = everyone [directory]
    date: 2026-03-11 [file-name]
    type: REQUEST [i2i-title]
    subject: could you look at the winch? [i2i-title]

    # for-fleet/BOTTLE-FROM-NIGHT-OWL-CHECK-20260315.md
    sender: NIGHT-OWL = night-owl [file-name]
    recipient: fleet = everyone [directory]
    date: 2026-03-15 [file-name]
    subject: Check of the buoys [title]

    # for-fleet/arrow-topic.md
    recipient: fleet = everyone [directory]
    subject: Parser → Lexer: a plan [title]

    # for-fleet/byline.md
    sender: Heron = heron [byline]
    recipient: fleet = everyone [directory]
    date: 2026-03-13 [byline]
    subject: What the fog taught us [title]

    # for-fleet/placeholders.md
    recipient: fleet = everyone [directory]
    subject: placeholders [file-name]

    # for-fleet/quotation.md
    recipient: fleet = everyone [directory]
    subject: Thought for the day [title]

    # for-fleet/salutation.md
    sender: Wren = wren [signature]
    recipient: Plover2 = plover2 [salutation]
    subject: Charts [title]

    # for-fleet/signature.md
    sender: Tern = tern [signature]
    recipient: fleet = everyone [directory]
    date: 2026-03-17T05:00Z [signature]
    subject: Quiet night [title]

    # for-fleet/unclosed.md
    sender: heron [plain-field]
    recipient: fleet = everyone [directory]
    date: 2026-03-20 [plain-field]
    subject: unclosed [file-name]

    # for-fleet/word-title.md
    sender: Tern = tern [title]
    recipient: Heron = heron [title]
    subject: Anchor chain [title]

    # for-heron/arrow-title.md
    sender: Tern = tern [title]
    recipient: Heron = heron [title]
    date: 2026-03-12T07:10Z [title]
    subject: Winch [title]

    # for-heron/headings.md
    sender: Wren = wren [heading-field]
    recipient: Heron = heron [heading-field]
    date: 2026-03-08 [heading-field]
    subject: A greeting [title]

    # for-tern/bold-inside.md
    sender: Heron = heron [bold-field]
    recipient: Tern = tern; Plover2 = plover2; the fleet = everyone [bold-field]
    date: 2026-03-03T17:45-08:00 [bold-field]
    type: REQUEST + STATUS [bold-field]
    subject: Sail repair [title]
    in-reply-to: your torn jib [bold-field]

    # for-tern/bold-outside.md
    sender: Heron = heron [bold-field]
    recipient: Tern = tern [bold-field]
    date: 2026-03-04 [bold-field]
    subject: Second jib [bold-field]

    # for-tern/one-line.md
    sender: Heron = heron [bold-field]
    recipient: Tern = tern [bold-field]
    date: 2026-03-05T06:00 CET [bold-field]
    subject: Watch list [title]

    # from-fleet/list-and-table.md
    sender: Plover2 = plover2 [list-field]
    recipient: Heron = heron [list-field]
    date: 2026-03-07 [table-field]
    subject: Tide table request [title]

    # from-fleet/plain-fields.md
    sender: Tern = tern [plain-field]
    recipient: Heron = heron [plain-field]
    date: 2026-03-06 [plain-field]
    subject: plain fields [file-name]
    priority: low [plain-field]

    # message-in-a-bottle/for-any-vessel/2026-03-01_heron_nets.md
    sender: heron [front-matter]
    recipient: any-vessel = everyone [front-matter]
    date: 2026-03-01T08:30Z [front-matter]
    type: check-in [front-matter]
    subject: The nets are out [front-matter]

    # message-in-a-bottle/for-fleet/Plover2/MESSAGE.md
    sender: Plover2 = plover2 [directory]
    recipient: fleet = everyone [directory]
    subject: Hello [title]

    # message-in-a-bottle/for-tern/harbour-count.md
    sender: Wren K = wren-k [front-matter]
    recipient: Tern = tern; Plover2 = plover2 [front-matter]
    date: 2026-03-02T09:00Z [front-matter]
    type: report [front-matter]
    subject: Harbour count: 41 [front-matter]
    in-reply-to: heron-nets [front-matter]
    priority: high [front-matter]

    # notes/BOTTLE-FROM-WREN-TO-HERON-2026-03-14-LANTERN-OIL.md
    sender: WREN = wren [file-name]
    recipient: HERON = heron [file-name]
    date: 2026-03-14 [file-name]
    subject: LANTERN OIL [file-name]
    "#);
}
