//! Operators: PostgreSQL's precedence (chapter 4.1.6), by climbing. One level of nesting is few calls deep, and each is
//! small: nesting is bounded by the stack.

use super::{Parsed, Parser};
use crate::ast::{Expr, ExprKind, LikeKind, Literal};
use crate::lexer::Token;

/// How close an operator binds, loosest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Or,
    And,
    Not,
    Is,
    Comparison,
    Pattern,
    Other,
    Additive,
    Multiplicative,
    Power,
    TimeZone,
    Collate,
    Sign,
}

/// Operators with a rank of their own. `None`: no operator of an expression.
const RANKS: &[(&str, Option<Rank>)] = &[
    ("=", Some(Rank::Comparison)),
    ("<>", Some(Rank::Comparison)),
    ("!=", Some(Rank::Comparison)),
    ("<", Some(Rank::Comparison)),
    (">", Some(Rank::Comparison)),
    ("<=", Some(Rank::Comparison)),
    (">=", Some(Rank::Comparison)),
    ("+", Some(Rank::Additive)),
    ("-", Some(Rank::Additive)),
    ("*", Some(Rank::Multiplicative)),
    ("/", Some(Rank::Multiplicative)),
    ("%", Some(Rank::Multiplicative)),
    ("^", Some(Rank::Power)),
    ("::", None),
    (":", None),
    (":=", None),
    ("=>", None),
];

/// Words that are operators, alone.
const WORDS: &[(&str, Rank)] = &[
    ("or", Rank::Or),
    ("and", Rank::And),
    ("is", Rank::Is),
    ("isnull", Rank::Is),
    ("notnull", Rank::Is),
    ("between", Rank::Pattern),
    ("in", Rank::Pattern),
    ("like", Rank::Pattern),
    ("ilike", Rank::Pattern),
    ("overlaps", Rank::Pattern),
    ("collate", Rank::Collate),
];

/// The forms that `normalize` brings a text to.
pub(super) const NORMAL_FORMS: [&str; 4] = ["nfc", "nfd", "nfkc", "nfkd"];

/// Words that stand behind `not` between operands.
const NEGATED: &[&str] = &["between", "in", "like", "ilike", "similar"];

impl Rank {
    /// The rank of a right operand: row after row, operators are applied from the left.
    fn closer(self) -> Rank {
        match self {
            Rank::Or => Rank::And,
            Rank::And => Rank::Not,
            Rank::Not | Rank::Is => Rank::Comparison,
            Rank::Comparison => Rank::Pattern,
            Rank::Pattern => Rank::Other,
            Rank::Other => Rank::Additive,
            Rank::Additive => Rank::Multiplicative,
            Rank::Multiplicative => Rank::Power,
            Rank::Power => Rank::TimeZone,
            Rank::TimeZone => Rank::Collate,
            Rank::Collate | Rank::Sign => Rank::Sign,
        }
    }
}

impl Parser<'_> {
    pub(super) fn expr(&mut self) -> Parsed<Expr> {
        self.below(Rank::Or)
    }

    /// A column's default: without the levels at which `not null` behind it would be taken in (PostgreSQL's `b_expr`).
    pub(super) fn column_default(&mut self) -> Parsed<Expr> {
        self.below(Rank::Comparison)
    }

    /// The count of `fetch`: a number, or an expression in parentheses.
    pub(super) fn bound_count(&mut self) -> Parsed<Expr> {
        self.below(Rank::Sign)
    }

    /// An operand of words that stand between operands, such as `position (a in b)`.
    pub(super) fn operand(&mut self) -> Parsed<Expr> {
        self.below(Rank::Other)
    }

    /// What operators from this rank on make of operands, one level deeper.
    fn below(&mut self, loosest: Rank) -> Parsed<Expr> {
        self.enter()?;
        let parsed = self.ranked(loosest);
        self.leave();
        parsed
    }

    fn ranked(&mut self, loosest: Rank) -> Parsed<Expr> {
        let start = self.start();
        let mut left = self.prefixed(start)?;
        let mut row = 0;
        let mut before = None;
        while let Some(rank) = self.infix().filter(|rank| *rank >= loosest) {
            // `a < b < c` means nothing.
            if rank == Rank::Comparison && before == Some(rank) {
                return Err(self.unexpected());
            }
            before = Some(rank);
            self.next_in_row(&mut row)?;
            left = self.applied(start, left, rank)?;
        }
        Ok(left)
    }

    /// The rank of the operator that comes next between operands or behind one.
    fn infix(&self) -> Option<Rank> {
        match self.peek()? {
            Token::Op(op) => rank_of(op),
            Token::Word(word) => self.word_rank(word),
            _ => None,
        }
    }

    fn word_rank(&self, word: &str) -> Option<Rank> {
        match word {
            "not" => NEGATED.iter().any(|word| self.is_at(1, word)).then_some(Rank::Pattern),
            "similar" => self.is_at(1, "to").then_some(Rank::Pattern),
            "at" => self.are(&["at", "time", "zone"]).then_some(Rank::TimeZone),
            "operator" => (self.peek_at(1) == Some(&Token::Mark('('))).then_some(Rank::Other),
            word => WORDS.iter().find(|(known, _)| *known == word).map(|(_, rank)| *rank),
        }
    }

    /// An operand with the operators in front of it. Whatever binds closer than such an operator is its operand, wherever the
    /// operator stands.
    fn prefixed(&mut self, start: u32) -> Parsed<Expr> {
        if self.eat("not") {
            let inner = self.below(Rank::Not)?;
            return Ok(self.finish(start, ExprKind::Not(inner)));
        }
        match self.prefix() {
            Some((op, rank)) => {
                let expr = self.below(rank)?;
                Ok(self.finish(start, ExprKind::Unary { op, expr }))
            }
            None => self.postfix(start),
        }
    }

    fn prefix(&mut self) -> Option<(String, Rank)> {
        let Some(Token::Op(op)) = self.peek() else { return None };
        let rank = match op.as_str() {
            "-" | "+" => Rank::Sign,
            op => (rank_of(op)? == Rank::Other).then_some(Rank::Additive)?,
        };
        let op = op.clone();
        self.at += 1;
        Some((op, rank))
    }

    /// What the operator that comes next makes of its left operand.
    fn applied(&mut self, start: u32, left: Expr, rank: Rank) -> Parsed<Expr> {
        let kind = match rank {
            Rank::Or | Rank::And => self.connected(left, rank)?,
            Rank::Not | Rank::Is => self.is_test(left)?,
            Rank::Pattern => self.pattern(left)?,
            Rank::TimeZone => return self.at_time_zone(start, left),
            Rank::Collate => self.collate(left)?,
            Rank::Comparison
            | Rank::Other
            | Rank::Additive
            | Rank::Multiplicative
            | Rank::Power
            | Rank::Sign => self.binary(left, rank)?,
        };
        Ok(self.finish(start, kind))
    }

    /// `a and b and c` is one expression of three operands.
    fn connected(&mut self, first: Expr, rank: Rank) -> Parsed<ExprKind> {
        let word = if rank == Rank::Or { "or" } else { "and" };
        let mut all = vec![first];
        while self.eat(word) {
            all.push(self.ranked(rank.closer())?);
        }
        Ok(if rank == Rank::Or { ExprKind::Or(all) } else { ExprKind::And(all) })
    }

    /// `is …`, `isnull`, `notnull`
    fn is_test(&mut self, expr: Expr) -> Parsed<ExprKind> {
        if self.eat("isnull") {
            return Ok(ExprKind::IsNull { expr, negated: false });
        }
        if self.eat("notnull") {
            return Ok(ExprKind::IsNull { expr, negated: true });
        }
        self.expect("is")?;
        let negated = self.eat("not");
        if self.eat("null") {
            return Ok(ExprKind::IsNull { expr, negated });
        }
        if self.eat_all(&["distinct", "from"]) {
            let right = self.below(Rank::Comparison)?;
            return Ok(ExprKind::IsDistinct { left: expr, right, negated });
        }
        let at = self.start();
        let form = NORMAL_FORMS.iter().find(|form| self.is(form) && self.peek_at(1).is_some());
        let form = form.filter(|form| self.eat_all(&[form, "normalized"]));
        if form.is_some() || self.eat("normalized") {
            let form = form.map(|form| ExprKind::Literal(Literal::String(form.to_uppercase())));
            let args = std::iter::once(expr).chain(form.map(|form| self.finish(at, form))).collect();
            let test = self.call_of(at, "is_normalized", args);
            return Ok(if negated { ExprKind::Not(test) } else { *test.kind });
        }
        let value = match self.ident()?.as_str() {
            "true" => Some(true),
            "false" => Some(false),
            "unknown" => None,
            _ => {
                self.at -= 1;
                return Err(self.unexpected());
            }
        };
        Ok(ExprKind::IsBool { expr, value, negated })
    }

    /// A binary operator and its right side: an operand, or `any`/`all` of an array or subquery.
    fn binary(&mut self, left: Expr, rank: Rank) -> Parsed<ExprKind> {
        let op = self.operator()?;
        if let Some(all) = self.quantifier() {
            return self.quantified(left, op, all);
        }
        let right = self.below(rank.closer())?;
        Ok(ExprKind::Binary { left, op, right })
    }

    pub(super) fn operator(&mut self) -> Parsed<String> {
        if self.is("operator") {
            return self.qualified_operator();
        }
        let op = match self.peek() {
            Some(Token::Op(op)) if op == "!=" => "<>".to_owned(),
            Some(Token::Op(op)) => op.clone(),
            _ => return Err(self.unexpected()),
        };
        self.at += 1;
        Ok(op)
    }

    /// `operator(schema.+)`
    fn qualified_operator(&mut self) -> Parsed<String> {
        self.at += 1;
        self.in_parens(|parser| {
            while matches!(parser.peek(), Some(Token::Word(_) | Token::Quoted(_) | Token::Mark('.'))) {
                parser.at += 1;
            }
            let Some(Token::Op(op)) = parser.peek() else { return Err(parser.unexpected()) };
            let op = op.clone();
            parser.at += 1;
            Ok(op)
        })
    }

    /// Takes `any (` or `all (`: whether it is `all`.
    fn quantifier(&mut self) -> Option<bool> {
        let word = ["any", "some", "all"].into_iter().find(|word| self.is(word))?;
        if self.peek_at(1) != Some(&Token::Mark('(')) {
            return None;
        }
        self.at += 2;
        Some(word == "all")
    }

    /// The array or subquery of `any (…)`, behind the opening parenthesis.
    fn quantified(&mut self, expr: Expr, op: String, all: bool) -> Parsed<ExprKind> {
        let kind = if self.starts_query() {
            ExprKind::QuantifiedSubquery { expr, op, all, query: Box::new(self.query()?) }
        } else {
            ExprKind::Quantified { expr, op, all, array: self.expr()? }
        };
        self.expect_mark(')')?;
        Ok(kind)
    }

    /// `between`, `in`, `like`, `ilike`, `similar to`, `overlaps`
    fn pattern(&mut self, expr: Expr) -> Parsed<ExprKind> {
        let negated = self.eat("not");
        if self.eat("between") {
            self.between(expr, negated)
        } else if self.eat("in") {
            self.in_test(expr, negated)
        } else if self.eat("like") {
            self.like(expr, LikeKind::Like, negated)
        } else if self.eat("ilike") {
            self.like(expr, LikeKind::Ilike, negated)
        } else if self.eat_all(&["similar", "to"]) {
            self.like(expr, LikeKind::Similar, negated)
        } else {
            self.expect("overlaps")?;
            self.overlaps(expr)
        }
    }

    fn between(&mut self, expr: Expr, negated: bool) -> Parsed<ExprKind> {
        let symmetric = self.eat("symmetric");
        self.eat("asymmetric");
        let low = self.operand()?;
        self.expect("and")?;
        let high = self.operand()?;
        Ok(ExprKind::Between { expr, low, high, symmetric, negated })
    }

    /// `(from, to) overlaps (from, to)`: a function of four arguments.
    fn overlaps(&mut self, left: Expr) -> Parsed<ExprKind> {
        let start = left.span.start;
        let right = self.below(Rank::Sign)?;
        match (*left.kind, *right.kind) {
            (ExprKind::Row(left), ExprKind::Row(right)) if left.len() == 2 && right.len() == 2 => {
                Ok(*self.call_of(start, "overlaps", left.into_iter().chain(right).collect()).kind)
            }
            _ => Err(self.unexpected()),
        }
    }

    fn in_test(&mut self, expr: Expr, negated: bool) -> Parsed<ExprKind> {
        self.expect_mark('(')?;
        let kind = if self.starts_query() {
            ExprKind::InSubquery { expr, query: Box::new(self.query()?), negated }
        } else {
            ExprKind::InList { expr, list: self.comma_list(Parser::expr)?, negated }
        };
        self.expect_mark(')')?;
        Ok(kind)
    }

    fn like(&mut self, expr: Expr, kind: LikeKind, negated: bool) -> Parsed<ExprKind> {
        let op = match (kind, negated) {
            (LikeKind::Ilike, false) => Some("~~*"),
            (LikeKind::Ilike, true) => Some("!~~*"),
            (LikeKind::Like, false) => Some("~~"),
            (LikeKind::Like, true) => Some("!~~"),
            (LikeKind::Similar, _) => None,
        };
        if let Some(op) = op
            && let Some(all) = self.quantifier()
        {
            return self.quantified(expr, op.to_owned(), all);
        }
        let pattern = self.operand()?;
        let escape = if self.eat("escape") { Some(self.operand()?) } else { None };
        Ok(ExprKind::Like { expr, pattern, kind, escape, negated })
    }

    fn at_time_zone(&mut self, start: u32, expr: Expr) -> Parsed<Expr> {
        self.eat_all(&["at", "time", "zone"]);
        let zone = self.below(Rank::Collate)?;
        Ok(self.call_of(start, "timezone", vec![zone, expr]))
    }

    fn collate(&mut self, expr: Expr) -> Parsed<ExprKind> {
        self.expect("collate")?;
        Ok(ExprKind::Collate { expr, collation: self.object_name()? })
    }
}

/// The rank of an operator between operands; those of no rank of their own bind alike.
fn rank_of(op: &str) -> Option<Rank> {
    RANKS.iter().find(|(known, _)| *known == op).map_or(Some(Rank::Other), |(_, rank)| *rank)
}
