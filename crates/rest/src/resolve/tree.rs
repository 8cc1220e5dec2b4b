//! The resources of a request as a tree: each with its table and with the conditions, order and range that name it.

use catalog::{Relationship, TableId};
use query::FunctionId;
use types::{Code, Error, Result};

use super::Pass;
use crate::filter::Filter;
use crate::logic::Logic;
use crate::order::OrderTerm;
use crate::range::Range;
use crate::request::Request;
use crate::select::{SelectEmbed, SelectItem};

/// A resource: the one that the path names, or an embedded one.
pub(super) struct Node<'a> {
    /// Its table or view.
    pub(super) table: TableId,
    /// What PostgreSQL's messages call it.
    pub(super) label: String,
    /// What is selected of it, embedded resources included.
    pub(super) items: &'a [SelectItem],
    /// How it is embedded; `None` for the root.
    pub(super) embedded: Option<Embedded<'a>>,
    /// Which of its rows.
    pub(super) conditions: Vec<Condition<'a>>,
    /// In which order.
    pub(super) order: &'a [OrderTerm],
    /// Which part of them.
    pub(super) range: Range,
    /// The embedded resources, in the order of `items`.
    pub(super) children: Vec<Node<'a>>,
}

/// How a resource is embedded.
pub(super) struct Embedded<'a> {
    pub(super) select: &'a SelectEmbed,
    pub(super) link: Link<'a>,
}

/// What leads from a row to the rows embedded in it.
#[derive(Clone, Copy)]
pub(super) enum Link<'a> {
    /// A foreign key, or two through a junction.
    Edge(&'a Relationship),
    /// A function of the row.
    Computed {
        function: FunctionId,
        /// The table whose rows it returns.
        to: TableId,
        /// Whether it returns at most one.
        to_one: bool,
    },
}

impl Link<'_> {
    fn to(self) -> TableId {
        match self {
            Link::Edge(edge) => edge.to,
            Link::Computed { to, .. } => to,
        }
    }

    fn is_to_one(self) -> bool {
        match self {
            Link::Edge(edge) => edge.cardinality.is_to_one(),
            Link::Computed { to_one, .. } => to_one,
        }
    }

    fn has_junction(self) -> bool {
        matches!(self, Link::Edge(edge) if edge.through.is_some())
    }
}

/// A condition on the rows of a resource.
#[derive(Clone, Copy)]
pub(super) enum Condition<'a> {
    Filter(&'a Filter),
    Logic(&'a Logic),
}

/// What a parameter says of the resource at a place: the positions of embedded resources on the way from the root.
struct Parameter<'a> {
    place: Vec<usize>,
    says: Says<'a>,
}

#[derive(Clone, Copy)]
enum Says<'a> {
    Condition(Condition<'a>),
    Order(&'a [OrderTerm]),
    Range(Range),
}

impl<'a> Node<'a> {
    /// The embedded resource that filters and orders call by this name.
    pub(super) fn child(&self, name: &str) -> Option<&Node<'a>> {
        self.children.iter().find(|child| child.key() == Some(name))
    }

    /// What filters and orders call it, and its key in the reply.
    pub(super) fn key(&self) -> Option<&'a str> {
        self.embedded.as_ref().map(|embedded| embedded.select.key())
    }

    /// Whether it is embedded and parents without a row of it do not appear.
    pub(super) fn is_inner(&self) -> bool {
        self.embedded.as_ref().is_some_and(|embedded| embedded.select.inner)
    }

    /// Whether at most one row of it is embedded in each parent.
    pub(super) fn is_to_one(&self) -> bool {
        self.embedded.as_ref().is_some_and(|embedded| embedded.link.is_to_one())
    }

    /// The most rows of it that are embedded in a parent, where it is its read that has to see to that: a function may find more.
    pub(super) fn rows_max(&self) -> Option<u64> {
        let embedded = self.embedded.as_ref()?;
        matches!(embedded.link, Link::Computed { to_one: true, .. }).then_some(1)
    }

    /// Whether nothing at all is selected of it: it is there for its parent's filters only.
    pub(super) fn says_nothing(&self) -> bool {
        self.items.len() == self.children.len() && self.children.iter().all(Node::says_nothing)
    }
}

impl<'a> Pass<'a> {
    /// The resources of the request below a table.
    pub(super) fn tree(&mut self, table: TableId) -> Result<Node<'a>> {
        let label = self.declared(table).name.name.to_string();
        self.tree_under(table, label)
    }

    /// The same, where messages call the table otherwise.
    pub(super) fn tree_under(&mut self, table: TableId, label: String) -> Result<Node<'a>> {
        let parameters = self.parameters_placed()?;
        let root = Node::new(table, label, &self.request.select, None);
        self.grown(root, &mut Vec::new(), &parameters)
    }

    /// A node with what the parameters say of it and with its children. `place` is where it is.
    fn grown(
        &self,
        mut node: Node<'a>,
        place: &mut Vec<usize>,
        parameters: &[Parameter<'a>],
    ) -> Result<Node<'a>> {
        for parameter in parameters.iter().filter(|parameter| parameter.place == *place) {
            match parameter.says {
                Says::Condition(condition) => node.conditions.push(condition),
                // Of several orders the first counts.
                Says::Order(terms) if node.order.is_empty() => node.order = terms,
                Says::Order(_) => {}
                Says::Range(range) => node.range = range,
            }
        }
        for (position, select) in embeds(node.items).enumerate() {
            self.check_key(&node, select.key(), place.len() + 1)?;
            let link = self.link(node.table, select)?;
            let label = self.label(link, place.len() + 1);
            place.push(position);
            let child = Node::new(link.to(), label, &select.items, Some(Embedded { select, link }));
            node.children.push(self.grown(child, place, parameters)?);
            place.pop();
        }
        Ok(node)
    }

    /// Two resources of one parent cannot go by the same name: PostgREST joins each under one made of it.
    fn check_key(&self, parent: &Node<'a>, key: &str, depth: usize) -> Result<()> {
        if parent.child(key).is_none() {
            return Ok(());
        }
        let parent = &self.declared(parent.table).name.name;
        let message = format!("table name \"{parent}_{key}_{depth}\" specified more than once");
        Err(Error::new(Code::DUPLICATE_ALIAS, message))
    }

    /// PostgREST's alias of an embedded table: with its depth, unless it is reached through a junction.
    fn label(&self, link: Link<'_>, depth: usize) -> String {
        let name = &self.model.catalog[link.to()].name.name;
        if link.has_junction() { name.to_string() } else { format!("{name}_{depth}") }
    }

    /// The parameters that are about reading. Those of a write that say which rows are written are not.
    fn parameters_placed(&mut self) -> Result<Vec<Parameter<'a>>> {
        let request: &'a Request = self.request;
        let writes = request.action.writes();
        let mut placed = Vec::new();
        let filters = request.filters.iter().map(|(path, filter)| (path, Condition::Filter(filter)));
        let logic = request.logic.iter().map(|(path, logic)| (path, Condition::Logic(logic)));
        for (path, condition) in filters.chain(logic) {
            if !writes || !path.is_empty() {
                let says = Says::Condition(condition);
                placed.push(Parameter { place: self.place(path)?, says });
            }
        }
        for (path, terms) in &request.orders {
            placed.push(Parameter { place: self.place(path)?, says: Says::Order(terms) });
        }
        if !writes {
            for (path, range) in &request.ranges {
                placed.push(Parameter { place: self.place(path)?, says: Says::Range(*range) });
            }
            placed.push(Parameter { place: Vec::new(), says: Says::Range(request.range) });
        }
        Ok(placed)
    }

    /// Where a path leads. An embedded resource goes by its alias; its own name still leads there, with a warning.
    fn place(&mut self, path: &[String]) -> Result<Vec<usize>> {
        let mut items = &self.request.select[..];
        let mut place = Vec::new();
        for name in path {
            let is_it = |embed: &&SelectEmbed| embed.key() == name || embed.target == *name;
            let found = embeds(items).enumerate().find(|(_, embed)| is_it(embed));
            let (position, embed) = found.ok_or_else(|| not_embedded(name))?;
            if let Some(alias) = embed.alias.as_deref().filter(|alias| alias != name) {
                self.note_misnamed(name, alias);
            }
            place.push(position);
            items = &embed.items;
        }
        Ok(place)
    }

    fn note_misnamed(&mut self, name: &str, alias: &str) {
        let misnamed = (name.to_owned(), alias.to_owned());
        if !self.misnamed.contains(&misnamed) {
            self.misnamed.push(misnamed);
        }
    }
}

impl<'a> Node<'a> {
    fn new(
        table: TableId,
        label: String,
        items: &'a [SelectItem],
        embedded: Option<Embedded<'a>>,
    ) -> Node<'a> {
        Node {
            table,
            label,
            items,
            embedded,
            conditions: Vec::new(),
            order: &[],
            range: Range::default(),
            children: Vec::new(),
        }
    }
}

fn embeds(items: &[SelectItem]) -> impl Iterator<Item = &SelectEmbed> {
    items.iter().filter_map(|item| match item {
        SelectItem::Embed(embed) => Some(embed),
        SelectItem::All | SelectItem::Column(_) | SelectItem::Count { .. } => None,
    })
}

/// The refusal of a parameter about a resource that is not embedded.
pub(super) fn not_embedded(name: &str) -> Error {
    Error::new(Code::NOT_EMBEDDED, format!("'{name}' is not an embedded resource in this request"))
        .with_hint(format!("Verify that '{name}' is included in the 'select' query parameter."))
}
