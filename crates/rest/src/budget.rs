//! What one request may ask for, counted while it is parsed: everything that could grow is refused at its limit.

use types::{Code, Error, Limits, Result};

/// Counts against the limits of one request.
pub(crate) struct Budget<'a> {
    /// The limits in force.
    pub(crate) limits: &'a Limits,
    nodes: usize,
    items: usize,
    embeds: usize,
}

impl<'a> Budget<'a> {
    /// Nothing counted yet.
    pub(crate) fn new(limits: &'a Limits) -> Budget<'a> {
        Budget { limits, nodes: 0, items: 0, embeds: 0 }
    }

    /// One more filter, order term or logical operator.
    pub(crate) fn node(&mut self) -> Result<()> {
        count(&mut self.nodes, self.limits.filter_nodes_max, "filters, order terms and logical operators")
    }

    /// One more selected item.
    pub(crate) fn item(&mut self) -> Result<()> {
        count(&mut self.items, self.limits.select_items_max, "selected items")
    }

    /// One more embedded resource, `depth` levels below the root.
    pub(crate) fn embed(&mut self, depth: usize) -> Result<()> {
        within(depth, self.limits.embed_depth_max, "levels of embedded resources")?;
        count(&mut self.embeds, self.limits.embed_nodes_max, "embedded resources")
    }

    /// A logical operator `depth` levels deep.
    pub(crate) fn logic_depth(&self, depth: usize) -> Result<()> {
        within(depth, self.limits.filter_depth_max, "levels of nested logical operators")
    }

    /// A condition on an embedded resource `depth` levels below the one that its tree is of.
    pub(crate) fn related_depth(&self, depth: usize) -> Result<()> {
        within(depth, self.limits.embed_depth_max, "levels of embedded resources")
    }

    /// A list of so many values.
    pub(crate) fn values(&self, values: usize) -> Result<()> {
        within(values, self.limits.list_values_max, "values in one list")
    }
}

fn count(counter: &mut usize, max: usize, what: &str) -> Result<()> {
    *counter += 1;
    within(*counter, max, what)
}

fn within(asked: usize, max: usize, what: &str) -> Result<()> {
    if asked <= max {
        return Ok(());
    }
    let details = format!("One request may have at most {max} {what}.");
    Err(Error::new(Code::PARSE, "The request asks for too much").with_details(details))
}
