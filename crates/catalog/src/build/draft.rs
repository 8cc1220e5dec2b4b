//! The catalog of a builder: shared with those who look at it as it is, and another one from its next change on.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use crate::Catalog;

/// A catalog that changes.
#[derive(Clone)]
pub(super) struct Draft(Arc<Catalog>);

impl Draft {
    pub(super) fn of(catalog: Arc<Catalog>) -> Draft {
        Draft(catalog)
    }

    /// The catalog as it is.
    pub(super) fn shared(&self) -> Arc<Catalog> {
        self.0.clone()
    }

    pub(super) fn into_catalog(self) -> Catalog {
        Arc::unwrap_or_clone(self.0)
    }
}

impl Deref for Draft {
    type Target = Catalog;

    fn deref(&self) -> &Catalog {
        &self.0
    }
}

/// Whoever else has the catalog keeps it as it was, and what was made of it goes with it.
impl DerefMut for Draft {
    fn deref_mut(&mut self) -> &mut Catalog {
        let catalog = Arc::make_mut(&mut self.0);
        catalog.found.forget();
        catalog
    }
}
