//! The picture: pages above, a list, the text behind its row, and the keys below.

use super::app::{App, Focus, Tab};
use super::page::{Piece, Tone};
use super::pages::TITLES;
use super::wrap::wrap;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Row as Cells, Table, TableState};
use std::fmt::Write as _;
use unicode_width::UnicodeWidthStr as _;

/// Widest that a column other than the last is drawn.
const COLUMN_MAX: usize = 18;
/// Fewest rows of the screen at which list and text are both drawn.
const SPLIT_MIN: u16 = 14;

/// Fewest columns at which a key and what it does stand on one line.
const HELP_WIDTH: usize = 76;

const KEYS: &[(&str, &str)] = &[
    ("1 to 5, Tab, Left, Right", "the pages"),
    ("Up, Down, j, k", "one row or line"),
    ("PgUp, PgDn, b, Space", "a screen"),
    ("Home, End, g, G", "the first, the last"),
    ("Enter", "the text on the whole screen"),
    ("/", "only rows that hold a word, in their text too"),
    ("Esc", "back; in a list, all rows again"),
    ("r", "look for what came (done every two seconds)"),
    ("q, Ctrl-C", "the end"),
];

/// Draws `app`, and tells it how much fits.
pub(super) fn draw(frame: &mut Frame<'_>, app: &mut App) {
    let [above, middle, below] =
        Layout::vertical([Constraint::Length(1), Constraint::Min(0), Constraint::Length(1)])
            .areas(frame.area());
    frame.render_widget(Paragraph::new(titles(app, above.width)), above);
    match app.focus {
        Focus::Help => help(frame, app, middle),
        Focus::Text => text(frame, app, middle),
        _ if middle.height < SPLIT_MIN => list(frame, app, middle),
        _ => {
            let [upper, lower] =
                Layout::vertical([Constraint::Percentage(50), Constraint::Min(0)]).areas(middle);
            list(frame, app, upper);
            text(frame, app, lower);
        }
    }
    frame.render_widget(Paragraph::new(keys(app)), below);
}

fn style(app: &App, tone: Tone) -> Style {
    let plain = Style::new();
    // Without colour, what stands out stands out by weight.
    let coloured = |colour: Color| if app.colour { plain.fg(colour) } else { plain };
    match tone {
        Tone::Plain => plain,
        Tone::Id => coloured(Color::Magenta),
        Tone::Dim => plain.add_modifier(Modifier::DIM),
        Tone::Bold => plain.add_modifier(Modifier::BOLD),
        Tone::Good => coloured(Color::Green),
        Tone::Bad => coloured(Color::Red).add_modifier(Modifier::BOLD),
    }
}

fn span<'a>(app: &App, piece: &'a Piece) -> Span<'a> {
    Span::styled(piece.text.as_str(), style(app, piece.tone))
}

fn titles(app: &App, width: u16) -> Line<'static> {
    let width = usize::from(width);
    let tabs = |is_named: &dyn Fn(usize) -> bool| -> Vec<Span<'static>> {
        let tab = |(at, (title, tab)): (usize, (&&str, &Tab))| {
            let badge =
                if tab.page.badge.is_empty() { String::new() } else { format!(" ({})", tab.page.badge) };
            let here = if at == app.tab { Modifier::REVERSED | Modifier::BOLD } else { Modifier::empty() };
            let name = if is_named(at) { format!(" {title}{badge}") } else { String::new() };
            Span::styled(format!(" {}{name} ", at + 1), Style::new().add_modifier(here))
        };
        TITLES.iter().zip(&app.tabs).enumerate().map(tab).collect()
    };
    let length = |spans: &[Span<'_>]| spans.iter().map(Span::width).sum::<usize>();
    let mut spans = tabs(&|_| true);
    if length(&spans) > width {
        // All pages stay on the screen, and the one that is looked at with its name.
        spans = tabs(&|at| at == app.tab);
    }
    let agent = app.agent.as_deref().unwrap_or("no agent");
    let room = width.saturating_sub(length(&spans));
    if room > agent.len() {
        spans.push(Span::styled(format!("{agent:>room$}"), style(app, Tone::Dim)));
    }
    Line::from(spans)
}

fn list(frame: &mut Frame<'_>, app: &mut App, area: Rect) {
    app.list_height = usize::from(area.height.saturating_sub(1)).max(1);
    let height = app.list_height;
    let tab = &mut app.tabs[app.tab];
    // The row that is looked at is on the screen.
    tab.top = tab.top.clamp((tab.at + 1).saturating_sub(height), tab.at);
    let tab = app.current();
    if tab.shown.is_empty() {
        let says =
            if tab.filter.is_empty() { tab.page.empty } else { "No row holds that; Esc shows all again" };
        frame.render_widget(Paragraph::new(format!(" {says}")), area);
        return;
    }
    let visible: Vec<_> = tab.shown.iter().skip(tab.top).take(height).map(|at| &tab.page.rows[*at]).collect();
    let columns = tab.page.heads.len();
    let width = |at: usize| {
        let cells = visible.iter().filter_map(|row| row.pieces.get(at)).map(|piece| piece.text.width());
        cells.chain([tab.page.heads[at].width()]).max().unwrap_or(0).min(COLUMN_MAX)
    };
    let widths = (0..columns).map(|at| {
        let width = u16::try_from(width(at)).unwrap_or(u16::MAX);
        if at + 1 == columns { Constraint::Fill(1) } else { Constraint::Length(width) }
    });
    let rows = visible.iter().map(|row| Cells::new(row.pieces.iter().map(|piece| span(app, piece))));
    let table = Table::new(rows, widths)
        .header(
            Cells::new(tab.page.heads.iter().copied())
                .style(style(app, Tone::Dim).add_modifier(Modifier::UNDERLINED)),
        )
        .column_spacing(1)
        .row_highlight_style(Style::new().add_modifier(Modifier::REVERSED));
    let mut state = TableState::new().with_selected(Some(tab.at - tab.top));
    frame.render_stateful_widget(table, area, &mut state);
}

fn text(frame: &mut Frame<'_>, app: &mut App, area: Rect) {
    let [rule, area] = Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(area);
    let width = usize::from(area.width);
    let mut lines = Vec::new();
    if let Some(row) = app.current().row() {
        for piece in &row.text {
            let style = style(app, piece.tone);
            lines.extend(wrap(&piece.text, width).into_iter().map(|line| Line::styled(line, style)));
        }
    }
    let height = usize::from(area.height);
    app.text_height = height;
    app.scroll_max = lines.len().saturating_sub(height);
    app.scroll = app.scroll.min(app.scroll_max);
    let place = match app.current().row() {
        Some(_) if app.scroll_max > 0 && app.focus == Focus::Text => {
            format!(" line {} of {} ", app.scroll + 1, lines.len())
        }
        Some(_) if app.scroll_max > 0 => format!(" {} lines, Enter shows all ", lines.len()),
        _ => String::new(),
    };
    let dashes = "─".repeat(width.saturating_sub(place.len()));
    frame
        .render_widget(Paragraph::new(Line::styled(format!("{dashes}{place}"), style(app, Tone::Dim))), rule);
    let shown: Vec<Line<'_>> = lines.into_iter().skip(app.scroll).take(height).collect();
    frame.render_widget(Paragraph::new(shown), area);
}

fn help(frame: &mut Frame<'_>, app: &mut App, area: Rect) {
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let width = usize::from(area.width);
    let mut lines = vec![Line::raw("")];
    for (keys, what) in KEYS {
        if width >= HELP_WIDTH {
            lines.push(Line::from(vec![Span::styled(format!("  {keys:<26}"), bold), Span::raw(*what)]));
        } else {
            lines.extend(wrap(keys, width).into_iter().map(|line| Line::styled(line, bold)));
            let what = wrap(what, width.saturating_sub(2));
            lines.extend(what.into_iter().map(|line| Line::raw(format!("  {line}"))));
        }
    }
    lines.push(Line::raw(""));
    for line in [
        "  In the inbox * is not read, ! overdue.",
        "  Nothing here writes: a bottle looked at stays unread.",
        "  Up and Down scroll, any other key goes back.",
    ] {
        lines.extend(wrap(line, width).into_iter().map(Line::raw));
    }
    let height = usize::from(area.height);
    app.text_height = height;
    app.scroll_max = lines.len().saturating_sub(height);
    app.scroll = app.scroll.min(app.scroll_max);
    let shown: Vec<Line<'_>> = lines.into_iter().skip(app.scroll).take(height).collect();
    frame.render_widget(Paragraph::new(shown), area);
}

fn keys(app: &App) -> Line<'static> {
    let tab = app.current();
    if app.focus == Focus::Filter {
        return Line::from(vec![
            Span::styled(" /", style(app, Tone::Bold)),
            Span::raw(tab.filter.clone()),
            Span::styled("▏ Enter keeps it, Esc drops it", style(app, Tone::Dim)),
        ]);
    }
    let keys = match app.focus {
        Focus::Text => " q end  Esc back  ↑↓ PgUp PgDn scroll  Tab next page  ? keys",
        Focus::Help => " ↑↓ scroll  any other key: back",
        _ => " q end  Tab page  ↑↓ row  Enter text  / filter  ? keys",
    };
    Line::from(vec![
        Span::styled(keys, style(app, Tone::Bold)),
        Span::styled(place(app, tab), style(app, Tone::Dim)),
    ])
}

/// Where one is in the list, and what is wrong.
fn place(app: &App, tab: &Tab) -> String {
    let mut place = match tab.shown.len() {
        0 => String::new(),
        count => format!("  {}/{count}", tab.at + 1),
    };
    if !tab.filter.is_empty() {
        let _ = write!(place, " of {} with {:?}", tab.page.rows.len(), tab.filter);
    } else if tab.page.more > 0 {
        let _ = write!(place, " and {} older", tab.page.more);
    }
    if app.damaged > 0 {
        let _ = write!(place, "  {} unreadable: datum doctor", app.damaged);
    }
    place
}

#[cfg(test)]
mod tests {
    use super::super::page::{Page, Row};
    use super::*;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

    fn app() -> App {
        let row = |n: usize| {
            let pieces = vec![
                Piece::new("2026-01-01 00:00", Tone::Dim),
                Piece::new(format!("agent-{n}"), Tone::Plain),
                Piece::new("NOTE", Tone::Bold),
                Piece::new(
                    format!(
                        "Entry {n} \u{1b}[31m\u{202e}of many words that no row of any list could hold whole"
                    ),
                    Tone::Plain,
                ),
            ];
            Row::new(n.to_string(), pieces).line("head", Tone::Bold).body(&"Told at length.\n".repeat(40))
        };
        let page = |count: usize| Page {
            heads: &["Time", "Agent", "Category", "Entry"],
            rows: (0..count).map(row).collect(),
            badge: if count >= 20 { (count / 20).to_string() } else { String::new() },
            empty: "Nothing here",
            more: 0,
        };
        let mut app = App::new(Some("heron".to_owned()), 0, true);
        app.show([page(60), page(1), page(0), page(3), page(2)]);
        app
    }

    fn screen(app: &mut App, width: u16, height: u16) -> Vec<String> {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(frame, app)).unwrap();
        let buffer = terminal.backend().buffer().clone();
        let line = |y: u16| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
        (0..height).map(|y| line(y).trim_end().to_owned()).collect()
    }

    fn press(app: &mut App, code: KeyCode) {
        app.key(KeyEvent::new(code, KeyModifiers::NONE));
    }

    #[test]
    fn eighty_columns_and_twenty_four_rows_hold_it() {
        let mut app = app();
        let lines = screen(&mut app, 80, 24);
        assert!(lines[0].starts_with(" 1 Journal (3)  2 Inbox  3 Board  4 Agents  5 Audits"), "{lines:#?}");
        assert!(lines[0].ends_with("heron"), "{lines:#?}");
        assert!(lines[2].starts_with("2026-01-01 00:00 agent-0"), "{lines:#?}");
        assert!(lines[2].contains("\\u{1b}[31m\\u{202e}"), "hostile text is spelled out: {lines:#?}");
        assert!(lines[12].contains("42 lines, Enter shows all"), "{lines:#?}");
        assert!(
            lines[23].starts_with(" q end  Tab page  ↑↓ row  Enter text  / filter  ? keys  1/60"),
            "{lines:#?}"
        );
        press(&mut app, KeyCode::End);
        let lines = screen(&mut app, 80, 24);
        assert!(lines[11].contains("agent-59"), "the row looked at is on the screen: {lines:#?}");
        press(&mut app, KeyCode::Enter);
        press(&mut app, KeyCode::End);
        press(&mut app, KeyCode::End);
        let lines = screen(&mut app, 80, 24);
        assert_eq!(lines[22], "Told at length.");
        press(&mut app, KeyCode::Char('3'));
        assert_eq!(screen(&mut app, 80, 24)[1], " Nothing here");
        press(&mut app, KeyCode::Char('?'));
        assert!(screen(&mut app, 80, 24).iter().all(|line| line.width() <= 80));
        assert!(screen(&mut app, 80, 24)[6].contains("Enter"));
    }

    #[test]
    fn a_small_screen_shows_the_page_that_is_looked_at_and_all_of_the_help() {
        let mut app = app();
        for (key, titles) in [('1', " 1 Journal (3)  2  3  4  5"), ('5', " 1  2  3  4  5 Audits")] {
            press(&mut app, KeyCode::Char(key));
            assert!(screen(&mut app, 40, 10)[0].starts_with(titles), "{:#?}", screen(&mut app, 40, 10));
        }
        press(&mut app, KeyCode::Char('?'));
        let mut seen = screen(&mut app, 40, 10).join("\n");
        for _ in 0..40 {
            press(&mut app, KeyCode::Down);
            seen.push_str(&screen(&mut app, 40, 10).join("\n"));
        }
        assert_eq!(app.focus, Focus::Help);
        for (keys, what) in KEYS {
            assert!(seen.contains(keys), "{keys}: {seen}");
            assert!(what.split(' ').all(|word| seen.contains(word)), "{what}: {seen}");
        }
        assert!(seen.contains("any other key goes"), "{seen}");
        press(&mut app, KeyCode::Char('x'));
        assert_eq!((app.focus, app.scroll), (Focus::List, 0));
    }

    #[test]
    fn no_size_is_too_small_to_draw() {
        let mut app = app();
        for (width, height) in [(0, 0), (1, 1), (3, 2), (10, 5), (20, 13), (300, 100)] {
            for code in [
                KeyCode::End,
                KeyCode::Enter,
                KeyCode::PageDown,
                KeyCode::Esc,
                KeyCode::Tab,
                KeyCode::Char('?'),
            ] {
                press(&mut app, code);
                screen(&mut app, width, height);
            }
        }
    }

    #[test]
    fn every_cell_is_readable_on_a_light_and_a_dark_background() {
        for colour in [true, false] {
            let mut app = app();
            app.colour = colour;
            let tones = [Tone::Plain, Tone::Id, Tone::Dim, Tone::Bold, Tone::Good, Tone::Bad];
            let row = |tone| Row::new("x", vec![Piece::new("all tones", tone)]).line("said", tone);
            let page = || Page {
                heads: &["Entry"],
                rows: tones.into_iter().map(row).collect(),
                badge: "1 new".to_owned(),
                empty: "Nothing here",
                more: 3,
            };
            app.show([page(), page(), page(), page(), page()]);
            let mut met = std::collections::BTreeSet::new();
            for code in ['1', '2', '3', '4', '5', '/', 'a', '?']
                .map(KeyCode::Char)
                .into_iter()
                .chain([KeyCode::Enter])
            {
                press(&mut app, code);
                let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
                terminal.draw(|frame| draw(frame, &mut app)).unwrap();
                for cell in terminal.backend().buffer().content() {
                    // The terminal's own pair, turned around at most; and of its colours those that show on both.
                    assert_eq!(cell.bg, Color::Reset, "{code}: {cell:?}");
                    met.insert(cell.fg.to_string());
                    let hidden = Modifier::HIDDEN | Modifier::SLOW_BLINK | Modifier::RAPID_BLINK;
                    assert!(!cell.modifier.intersects(hidden), "{code}: {cell:?}");
                    let faint = cell.fg != Color::Reset && cell.modifier.contains(Modifier::DIM);
                    assert!(!faint, "a colour is never dimmed: {code}: {cell:?}");
                }
            }
            let want = if colour { vec!["Green", "Magenta", "Red", "Reset"] } else { vec!["Reset"] };
            assert_eq!(met.into_iter().collect::<Vec<_>>(), want);
        }
    }

    #[test]
    fn only_three_colours_are_used_and_none_without_colour() {
        let mut app = app();
        let colours = |app: &App| {
            let all = [Tone::Plain, Tone::Id, Tone::Dim, Tone::Bold, Tone::Good, Tone::Bad];
            all.iter().filter_map(|tone| style(app, *tone).fg).collect::<Vec<_>>()
        };
        // None of them is black, white, yellow or blue, of which each is lost on some background.
        assert_eq!(colours(&app), [Color::Magenta, Color::Green, Color::Red]);
        app.colour = false;
        assert_eq!(colours(&app), []);
    }
}
