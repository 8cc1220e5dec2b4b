//! Which relationship an embedded resource follows.

use catalog::{Cardinality, Catalog, ColumnId, Relationship, TableId};
use types::json::Json;
use types::{Code, Error, Result};

use super::nearest::nearest;
use super::tree::Link;
use super::{Pass, RESULT};
use crate::select::SelectEmbed;

/// How alike a table must be to be hinted at among those related, which the asked ones reach anyway.
const ALIKE: f64 = 0.33;

/// An edge with the names that requests use.
struct Edge<'a> {
    catalog: &'a Catalog,
    edge: &'a Relationship,
}

impl<'a> Edge<'a> {
    fn target(&self) -> &'a str {
        &self.catalog[self.edge.to].name.name
    }

    fn is_self(&self) -> bool {
        self.edge.from == self.edge.to
    }

    fn is(&self, cardinality: Cardinality) -> bool {
        self.edge.cardinality == cardinality
    }

    /// Whether it is the foreign key of this name.
    fn is_constraint(&self, name: &str) -> bool {
        self.edge.through.is_none() && *self.edge.constraint == *name
    }

    fn is_junction(&self, name: &str) -> bool {
        self.edge.through.as_ref().is_some_and(|through| *through.name.name == *name)
    }

    /// Whether it leaves by this column alone.
    fn leaves_by(&self, name: &str) -> bool {
        self.edge.through.is_none() && self.is_column(self.edge.from, &self.edge.from_columns, name)
    }

    /// Whether it arrives at this column alone.
    fn arrives_at(&self, name: &str) -> bool {
        self.edge.through.is_none() && self.is_column(self.edge.to, &self.edge.to_columns, name)
    }

    fn is_column(&self, table: TableId, columns: &[ColumnId], name: &str) -> bool {
        matches!(columns, [column] if *self.catalog[table][*column].name == *name)
    }

    /// PostgREST's rules: a resource is named by its table, by the foreign key or its column; hints say which one.
    /// Of a table's relationship to itself the table's name is the many side, the column the one side.
    fn is_meant(&self, target: &str, hint: Option<&str>) -> bool {
        let to_table = *self.target() == *target;
        match (self.is_self(), hint) {
            (true, None) => {
                (to_table && self.is(Cardinality::OneToMany))
                    || (self.leaves_by(target) && self.is(Cardinality::ManyToOne))
            }
            (true, Some(hint)) => to_table && self.is(Cardinality::OneToMany) && self.arrives_at(hint),
            (false, None) => {
                let reaches_table = !self.catalog[self.edge.to].is_view();
                to_table || (reaches_table && (self.is_constraint(target) || self.leaves_by(target)))
            }
            (false, Some(hint)) => {
                to_table
                    && (self.is_constraint(hint)
                        || self.leaves_by(hint)
                        || self.arrives_at(hint)
                        || self.is_junction(hint))
            }
        }
    }

    /// What a request writes to mean this edge and no other.
    fn hint(&self) -> String {
        let through = self.edge.through.as_ref().map(|through| &through.name.name);
        format!("'{}!{}'", self.target(), through.unwrap_or(&self.edge.constraint))
    }

    /// The order in which PostgREST lists edges.
    fn rank(&self) -> (&'a str, u8, &'a str) {
        let kind = match self.edge.cardinality {
            Cardinality::OneToMany => 0,
            Cardinality::ManyToOne => 1,
            Cardinality::OneToOne => 2,
            Cardinality::ManyToMany => 3,
        };
        let through = self.edge.through.as_ref().map(|through| &*through.name.name);
        (self.target(), kind, through.unwrap_or(&self.edge.constraint))
    }

    fn columns(&self, table: TableId, columns: &[ColumnId]) -> String {
        let names: Vec<&str> = columns.iter().map(|column| &*self.catalog[table][*column].name).collect();
        format!("({})", names.join(", "))
    }

    fn described(&self) -> Json {
        let (from, to) = (&self.catalog[self.edge.from].name.name, self.target());
        let relationship = match &self.edge.through {
            None => format!(
                "{} using {from}{} and {to}{}",
                self.edge.constraint,
                self.columns(self.edge.from, &self.edge.from_columns),
                self.columns(self.edge.to, &self.edge.to_columns),
            ),
            Some(through) => format!(
                "{} using {}{} and {}{}",
                through.name.name,
                through.from_constraint,
                self.columns(through.table, &through.from_columns),
                through.to_constraint,
                self.columns(through.table, &through.to_columns),
            ),
        };
        let cardinality = match self.edge.cardinality {
            Cardinality::OneToMany => "one-to-many",
            Cardinality::ManyToOne => "many-to-one",
            Cardinality::OneToOne => "one-to-one",
            Cardinality::ManyToMany => "many-to-many",
        };
        let fields = [
            ("cardinality", cardinality.to_owned()),
            ("embedding", format!("{from} with {to}")),
            ("relationship", relationship),
        ];
        Json::Object(fields.map(|(key, value)| (key.to_owned(), Json::String(value))).to_vec())
    }
}

impl<'a> Pass<'a> {
    /// What leads from a table to an embedded resource: a function of a row is a relationship of its own name, before all others.
    pub(super) fn link(&self, from: TableId, embed: &SelectEmbed) -> Result<Link<'a>> {
        if let Some(computed) = self.computed_link(from, &embed.target) {
            return Ok(computed);
        }
        let mut meant: Vec<Edge<'a>> =
            self.edges(from).filter(|edge| edge.is_meant(&embed.target, embed.hint.as_deref())).collect();
        match (meant.pop(), meant.is_empty()) {
            (Some(only), true) => Ok(Link::Edge(only.edge)),
            (None, _) => Err(self.no_relationship(from, embed)),
            (Some(last), false) => {
                meant.push(last);
                Err(self.ambiguous(from, embed, meant))
            }
        }
    }

    /// The edges that lead to tables of the schema in use, by junctions that are served at all.
    fn edges(&self, from: TableId) -> impl Iterator<Item = Edge<'a>> + use<'a> {
        let (catalog, schema) = (&*self.model.catalog, self.schema);
        let edges = if from == RESULT { &[][..] } else { catalog.relationships_of(from) };
        let edges = edges.iter().map(move |edge| Edge { catalog, edge });
        let served = self.exposed.schemas;
        edges.filter(move |edge| {
            let junction = edge.edge.through.as_ref().map(|through| &catalog[through.table].name.schema);
            *catalog[edge.edge.to].name.schema == *schema
                && junction.is_none_or(|schema| served.iter().any(|name| **name == **schema))
        })
    }

    fn no_relationship(&self, from: TableId, embed: &SelectEmbed) -> Error {
        let (parent, child) = (&self.declared(from).name.name, &embed.target);
        let hinted = embed.hint.as_ref().map_or(String::new(), |hint| format!("' using the hint '{hint}"));
        let error = Error::new(
            Code::NO_RELATIONSHIP,
            format!("Could not find a relationship between '{parent}' and '{child}' in the schema cache"),
        )
        .with_details(format!(
            "Searched for a foreign key relationship between '{parent}' and '{child}{hinted}' in the schema '{}', but no matches were found.",
            self.schema
        ));
        match self.meant_instead(from, child) {
            Some((meant, instead)) => {
                error.with_hint(format!("Perhaps you meant '{meant}' instead of '{instead}'."))
            }
            None => error,
        }
    }

    /// A related table alike the asked one; of a table without relationships, a table alike it that has some.
    fn meant_instead<'n>(&'n self, from: TableId, child: &'n str) -> Option<(&'n str, &'n str)> {
        let (catalog, roles) = (&self.model.catalog, self.roles());
        let mut related = self
            .edges(from)
            .filter(|edge| self.sees(&roles, edge.edge.to))
            .map(|edge| edge.target())
            .peekable();
        if related.peek().is_some() {
            return nearest(related, child, ALIKE)
                .filter(|found| *found != child)
                .map(|found| (found, child));
        }
        let parent = &*self.declared(from).name.name;
        let parents = catalog.ids().filter(|&id| {
            *catalog[id].name.schema == *self.schema
                && self.sees(&roles, id)
                && self.edges(id).next().is_some()
        });
        nearest(parents.map(|id| &*catalog[id].name.name), parent, ALIKE).map(|found| (found, parent))
    }

    fn ambiguous(&self, from: TableId, embed: &SelectEmbed, mut edges: Vec<Edge<'_>>) -> Error {
        edges.sort_by(|a, b| a.rank().cmp(&b.rank()));
        let (parent, child) = (&self.declared(from).name.name, &embed.target);
        let hints: Vec<String> = edges.iter().map(Edge::hint).collect();
        let details = Json::Array(edges.iter().map(Edge::described).collect());
        Error::new(
            Code::AMBIGUOUS_RELATIONSHIP,
            format!("Could not embed because more than one relationship was found for '{parent}' and '{child}'"),
        )
        .with_details_json(details.compact())
        .with_hint(format!(
            "Try changing '{child}' to one of the following: {}. Find the desired relationship in the 'details' key.",
            hints.join(", ")
        ))
    }
}
