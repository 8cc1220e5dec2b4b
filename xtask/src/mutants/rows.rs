//! The bugs that are planted.

/// Bugs in one file.
pub(super) struct File {
    /// What the file is a part of.
    pub(super) area: &'static str,
    /// Below `crates/`.
    pub(super) path: &'static str,
    pub(super) mutants: &'static [Mutant],
}

/// One bug.
pub(super) struct Mutant {
    pub(super) name: &'static str,
    /// Text that occurs once in the file. What is between « and », or all of it, is an expression that is replaced.
    pub(super) text: &'static str,
    pub(super) new: &'static str,
    /// What goes wrong.
    pub(super) breaks: &'static str,
}

const fn mutant(name: &'static str, text: &'static str, new: &'static str, breaks: &'static str) -> Mutant {
    Mutant { name, text, new, breaks }
}

const POLICIES: &str = "policies and grants";
const RESOLVER: &str = "resolver";
const PLANNER: &str = "planner";
const RENDERER: &str = "renderer";
const KEYS: &str = "keys and triggers";
const TRANSACTIONS: &str = "transactions";

pub(super) const FILES: &[File] = &[
    File {
        area: POLICIES,
        path: "query/src/authorize/policies.rs",
        mutants: &[
            mutant(
                "owners-view-means-nothing",
                "self.view_owner.as_ref().is_some_and(|owner| «!owner.is_past_policies»)",
                "true",
                "a view that says it is its owner's is refused as one that says nothing",
            ),
            mutant(
                "force-ignored",
                "roles.contains(&declared.owner) && «!declared.force_row_security»",
                "true",
                "an owner is not bound by forced policies",
            ),
            mutant(
                "bypass-bound",
                "declared.row_security && «!bypass» && !owner",
                "true",
                "roles that bypass policies are bound by them",
            ),
            mutant(
                "restrictive-permits",
                "if «policy.permissive» {",
                "true",
                "a restrictive policy permits rows",
            ),
            mutant(
                "permissive-all",
                "_ => Expr::test(«Form::Or», permissive),",
                "Form::And",
                "all permissive policies must hold",
            ),
            mutant(
                "no-policy-all-rows",
                "0 => Expr::bool(«false»),",
                "true",
                "a table without a policy for the command shows all rows",
            ),
            mutant(
                "command-ignored",
                "if !named || «!policy.command.covers(command)» {",
                "command == PolicyCommand::Delete && !policy.command.covers(command)",
                "policies for other commands apply, too",
            ),
            mutant(
                "restrictive-of-all-only",
                "if «!named» || !policy.command.covers(command) {",
                "!named || (!policy.permissive && policy.command != PolicyCommand::All)",
                "a restrictive policy for one command is forgotten",
            ),
            mutant(
                "roles-ignored",
                "let named = «policy.roles.is_empty()»",
                "true",
                "a policy applies to everybody, whatever roles it names",
            ),
            mutant(
                "role-not-inherited",
                "&**role == \"public\" || «roles.contains(role)»",
                "*role == self.role",
                "a policy for a role does not apply to its members",
            ),
            mutant(
                "check-without-using",
                "compiled.with_check.as_ref().or(«compiled.using.as_ref()»)",
                "None",
                "without WITH CHECK, USING does not check new rows",
            ),
            mutant(
                "using-or-check",
                "Side::Using => «compiled.using.as_ref()»,",
                "compiled.using.as_ref().or(compiled.with_check.as_ref())",
                "WITH CHECK alone lets existing rows be touched",
            ),
            mutant(
                "rows-by-check",
                "self.applicable(table, row, command, «Side::Using»)?;",
                "Side::Check",
                "what is visible is what may be stored",
            ),
            mutant(
                "violation-unnamed",
                "self.violation(table, «Some(&name)», side)",
                "None",
                "the error does not name the restrictive policy",
            ),
            mutant(
                "violation-order",
                "«left.cmp(right)»",
                "right.cmp(left)",
                "the last restrictive policy by name complains first",
            ),
            mutant(
                "recursion-unnoticed",
                "if «open.has_subquery» && same.clone()",
                "false",
                "policies that read each other are another error",
            ),
        ],
    },
    File {
        area: POLICIES,
        path: "query/src/authorize/privileges.rs",
        mutants: &[
            mutant(
                "any-column-will-do",
                "«catalog.allows_column(roles, table, privilege, column)»",
                "catalog.allows_some(roles, table, privilege)",
                "a grant on one column is a grant on all",
            ),
            mutant(
                "columns-of-values-alone",
                "«visit::deep_read(read, &mut |expr| note(expr, &mut named))»;",
                "read.outputs.iter().for_each(|output| visit::deep(&output.expr, &mut |expr| note(expr, &mut named)))",
                "columns in filters, orders and subqueries need no grant",
            ),
            mutant(
                "columns-not-deep",
                "«visit::deep(expr, &mut |expr| note(expr, named))»;",
                "note(expr, named)",
                "columns inside of expressions of writes need no grant",
            ),
            mutant(
                "usage-not-asked",
                "if «self.model.catalog.allows_schema(&self.roles, schema)» {",
                "true",
                "tables of a schema without usage can be read",
            ),
            mutant(
                "usage-of-policies",
                "if «self.stored» || self.superuser {",
                "false",
                "policies that read tables of a private schema fail",
            ),
            mutant(
                "table-by-column",
                "if «self.model.catalog.allows(roles, table, privilege)» {",
                "self.model.catalog.allows_some(roles, table, Privilege::Select)",
                "who may read may delete",
            ),
        ],
    },
    File {
        area: POLICIES,
        path: "query/src/authorize/reads.rs",
        mutants: &[
            mutant(
                "guard-lost-in-writes",
                "Some(expr) => «Guard::Rows(Box::new(expr))»,",
                "if self.writing.is_some() { drop(expr); Guard::Open } else { Guard::Rows(Box::new(expr)) }",
                "subqueries of writes see all rows",
            ),
            mutant(
                "guard-lost-in-policies",
                "let mut seen = «self.visible(*table, *id, PolicyCommand::Select)?»;",
                "if self.open_policies.is_empty() { self.visible(*table, *id, PolicyCommand::Select)? } else { None }",
                "policies of tables that policies read do not apply",
            ),
            mutant(
                "view-columns-not-asked",
                "self.require(*table, Privilege::Select, «named.get(id)»)\n            }\n            Source::Join",
                "named.get(id).filter(|_| matches!(from, Source::Table { .. }))",
                "a grant on one column of a view is a grant on all",
            ),
            mutant(
                "owners-view-served",
                "«self.refuse_past_policies(*table)?»;",
                "{}",
                "a view of an owner's rights over a table with policies is served",
            ),
            mutant(
                "invoker-ignored",
                "TableKind::View { rights, .. } => «rights»,",
                "ViewRights::Unsaid",
                "security_invoker says nothing",
            ),
            mutant(
                "invoker-everywhere",
                "let owner = match «rights» {",
                "ViewRights::Callers",
                "a view reads with the rights of whoever asks",
            ),
            mutant(
                "views-owner-is-anybody",
                "ViewRights::Unsaid => Some(self.rights_of(«&declared.owner»)?),",
                "\"postgres\"",
                "a view reads with rights that its owner does not have",
            ),
            mutant(
                "definer-sticks",
                "«(self.view_owner, self.stored) = before»;",
                "{}",
                "what is read after a view needs no grant",
            ),
            mutant(
                "lock-needs-select",
                "let changed = «self.visible(*table, *id, PolicyCommand::Update)?»;",
                "None",
                "FOR UPDATE locks rows that may not be updated",
            ),
            mutant(
                "lock-without-grant",
                "self.require(*table, «Privilege::Update», None)?;",
                "Privilege::Select",
                "FOR UPDATE needs no right to update",
            ),
            mutant(
                "returning-without-grant",
                "if «columns.is_some()» {\n                    self.require(*table, Privilege::Select, columns)?;",
                "false",
                "what a write returns needs no right to read",
            ),
        ],
    },
    File {
        area: POLICIES,
        path: "query/src/authorize/called.rs",
        mutants: &[
            mutant(
                "definers-choose-nothing",
                "read.chooses |= «declared.security_definer»;",
                "false",
                "conditions that raise are asked of rows that a definer's function leaves out",
            ),
            mutant(
                "definer-invoker-swapped",
                "let outcome = if «function.security_definer» {",
                "!function.security_definer",
                "functions run with the wrong rights",
            ),
            mutant(
                "usage-of-functions",
                "«self.require_schema(&declared.name.schema)?»;",
                "{}",
                "functions of a schema without usage can be called",
            ),
            mutant(
                "execute-not-asked",
                "if «!self.superuser && !model.catalog.allows_function(&self.roles, declared)» {",
                "false",
                "functions can be called without the right to",
            ),
            mutant(
                "function-in-owners-view",
                "let before = «self.view_owner.take()»;",
                "self.view_owner.clone()",
                "functions in an owner's view read as the owner",
            ),
            mutant("changes-by-get", "if «by.read_only» {", "false", "GET calls functions that change rows"),
            mutant(
                "definer-bypasses",
                "bypass: «owner.bypass»,",
                "true",
                "functions of an owner's rights see past policies that bind the owner",
            ),
            mutant(
                "definer-keeps-roles",
                "roles: «owner.roles»,",
                "self.roles.clone()",
                "functions of an owner's rights have the caller's grants",
            ),
        ],
    },
    File {
        area: POLICIES,
        path: "query/src/authorize/through.rs",
        mutants: &[
            mutant(
                "view-filter-lost",
                "let own = «self.read.filter.as_ref().map(|own| visit::instantiate(own, base, target, self.ids))»;",
                "None",
                "writes through a view touch rows that it does not show",
            ),
            mutant(
                "view-write-as-caller",
                "«self.open_view(view)?»;",
                "self.stored = true",
                "writes through an owner's view are the caller's",
            ),
            mutant(
                "view-distinct-written",
                "(«read.distinct», \"Views containing DISTINCT",
                "false",
                "a view with DISTINCT takes writes",
            ),
            mutant(
                "view-returns-its-rows",
                "«definition.filter = None»;",
                "{}",
                "a row that leaves the view by the write is not returned",
            ),
            mutant(
                "view-conflict-columns",
                "«columns.extend(compared(conflict, write.target))»;",
                "{}",
                "the columns of an upsert to a view need no right to read",
            ),
            mutant(
                "upsert-through-view-of-hidden",
                "if «changes_existing(&write.action)» {",
                "false",
                "an upsert to a view changes rows that the view does not show",
            ),
            mutant(
                "cascaded-check-is-local",
                "is_cascaded |= «check_option == Some(CheckOption::Cascaded)»;",
                "false",
                "WITH CASCADED CHECK OPTION asks nothing of the views below",
            ),
            mutant(
                "view-conflict-on-its-columns",
                "«self.columns(&mut conflict.columns)?»;",
                "()",
                "ON CONFLICT of a view names columns of the table by the positions of the view's",
            ),
        ],
    },
    File {
        area: POLICIES,
        path: "query/src/authorize/writes.rs",
        mutants: &[
            mutant(
                "delete-by-update-policy",
                "self.touch(write.table, write.target, «PolicyCommand::Delete», reads_target)?;",
                "PolicyCommand::Update",
                "policies for DELETE are forgotten",
            ),
            mutant(
                "update-using-twice",
                "self.row_checks(table, target, PolicyCommand::Update, «Side::Check»)?;",
                "Side::Using",
                "WITH CHECK of an update is forgotten",
            ),
            mutant(
                "update-returns-hidden",
                "checks.extend(«self.select_checks(table, target, Side::Check)?»);\n        }\n        Ok(checks)",
                "Vec::new()",
                "an update returns a row that its caller may not see any more",
            ),
            mutant(
                "returning-without-select",
                "let mut checks = «self.row_checks(table, target, PolicyCommand::Select, Side::Using)?»;",
                "Vec::new()",
                "an insert returns a row that its caller may not see",
            ),
            mutant(
                "upsert-using-unchecked",
                "guard.conflict = «self.row_checks(table, target, PolicyCommand::Update, Side::Using)?»;",
                "Vec::new()",
                "an upsert updates rows that may not be updated",
            ),
            mutant(
                "upsert-of-hidden",
                "guard.conflict.extend(«self.select_checks(table, target, Side::Using)?»);",
                "Vec::new()",
                "an upsert updates rows that its caller may not see",
            ),
            mutant(
                "upsert-check-unchecked",
                "guard.update = «self.after_update(table, target, reads_target)?»;",
                "Vec::new()",
                "what an upsert makes of a row is not checked",
            ),
            mutant(
                "upsert-reads-nothing",
                "let reads_target = reads_target || «!keys.is_empty()»;",
                "false",
                "an upsert is not held to the policies for SELECT",
            ),
            mutant(
                "insert-by-update-policy",
                "insert: self.row_checks(table, target, «PolicyCommand::Insert», Side::Check)?,",
                "PolicyCommand::Update",
                "policies for INSERT are forgotten",
            ),
            mutant(
                "touch-of-hidden",
                "let seen = if «reads_target» { self.visible",
                "false",
                "filters of writes tell of rows that their caller may not see",
            ),
            mutant(
                "update-by-select-grant",
                "self.require(table, «Privilege::Update», Some(&columns))",
                "Privilege::Select",
                "who may read a column may set it",
            ),
            mutant(
                "update-filter-not-asked",
                "self.named_values(write.target, write.table, set, «filter.as_ref()»)?;",
                "None",
                "columns in the filter of an update need no right to read",
            ),
            mutant(
                "delete-filter-not-asked",
                "self.named_values(write.target, write.table, &[], «filter.as_ref()»)?;",
                "None",
                "columns in the filter of a delete need no right to read",
            ),
            mutant(
                "conflict-columns-not-asked",
                "self.require(table, «Privilege::Select», Some(&keys))",
                "Privilege::Insert",
                "the columns of ON CONFLICT need no right to read",
            ),
            mutant(
                "excluded-not-asked",
                "self.named_values(«*excluded», table, set, filter.as_ref())?;",
                "target",
                "columns of the proposed row need no right to read",
            ),
            mutant(
                "owners-view-written",
                "«self.refuse_past_policies(write.table)?»;",
                "{}",
                "a view of an owner's rights over a table with policies takes writes",
            ),
            mutant(
                "returned-as-owner",
                "«(self.view_owner, self.stored) = (None, false)»;",
                "{}",
                "what is embedded in the rows that a write to a view returns needs no grant",
            ),
        ],
    },
    File {
        area: POLICIES,
        path: "catalog/src/catalog.rs",
        mutants: &[mutant(
            "noinherit-inherits",
            "self.reachable(role, |role| «role.inherits»)",
            "true",
            "roles that do not inherit have the rights of those that they are members of",
        )],
    },
    File {
        area: POLICIES,
        path: "query/src/eval.rs",
        mutants: &[mutant(
            "in-without-null",
            "Value::Null => «result = Value::Null»,\n            _ => {}\n        }\n    }\n    Ok(result)\n}\n\n/// A test of an operand",
            "{}",
            "of a row to be stored, `not in` a list with null holds",
        )],
    },
    File {
        area: RESOLVER,
        path: "query/src/resolve/reads.rs",
        mutants: &[
            mutant(
                "distinct-on-unordered",
                "let window = Window { partition, order: «order.clone()», frame: None };",
                "Vec::new()",
                "DISTINCT ON takes any row",
            ),
            mutant(
                "position-off-by-one",
                "and_then(|position| «position.checked_sub(1)»);",
                "Some(position)",
                "ORDER BY 1 is the second column",
            ),
            mutant(
                "order-of-columns-first",
                "let expr = match «self.output(&item.expr, &read.outputs, \"ORDER BY\")?» {",
                "None",
                "ORDER BY does not know the names of what is selected",
            ),
        ],
    },
    File {
        area: RESOLVER,
        path: "query/src/resolve/from.rs",
        mutants: &[
            mutant(
                "left-is-inner",
                "ast::JoinKind::Left => «JoinKind::Left»,",
                "JoinKind::Inner",
                "a left join drops rows",
            ),
            mutant(
                "full-is-left",
                "ast::JoinKind::Full => «JoinKind::Full»,",
                "JoinKind::Left",
                "a full join drops rows",
            ),
            mutant(
                "using-of-right",
                "JoinKind::Right => «right»,",
                "left",
                "the common column of a right join is the left one",
            ),
            mutant(
                "subquery-sees-beside",
                "let beside = if «*lateral» { None }",
                "true",
                "a subquery sees what stands beside it without LATERAL",
            ),
        ],
    },
    File {
        area: RESOLVER,
        path: "query/src/resolve/group.rs",
        mutants: &[
            mutant(
                "rollup-keys-kept",
                ".partition(|(at, _)| «set.contains(at)»)",
                "true",
                "keys that a grouping set leaves out keep their values",
            ),
            mutant(
                "grand-total-lost",
                "if «!has_group» {",
                "false",
                "the empty grouping set has a row for each row",
            ),
            mutant(
                "ungrouped-accepted",
                "if «keys.contains(&words(expr))» ||",
                "true",
                "columns that groups do not decide are accepted",
            ),
            mutant(
                "part-of-key-decides",
                "key.is_some_and(|key| «key.columns.iter().all(is_grouped)»)",
                "key.columns.iter().any(is_grouped)",
                "a part of the primary key decides all columns",
            ),
        ],
    },
    File {
        area: RESOLVER,
        path: "query/src/resolve/compare.rs",
        mutants: &[
            mutant(
                "row-order-not-strict",
                "let strict = «symbol.trim_end_matches('=')»;",
                "symbol",
                "rows compare by their first fields although these are equal",
            ),
            mutant(
                "rows-differ-in-all",
                "Compare::Ne => «Form::Or»,",
                "Form::And",
                "rows differ when all fields do",
            ),
            mutant(
                "all-is-any",
                "Ok(Expr::test(if «all» { Form::AllOf(compare) }",
                "false",
                "one element is enough for ALL",
            ),
            mutant(
                "unknown-is-decided",
                "vec![(decisive, Expr::bool(!all)), («unknown», Expr::null(Type::Bool))]",
                "{ drop(unknown); Expr::bool(false) }",
                "a comparison with rows, one of which is null, is not null",
            ),
        ],
    },
    File {
        area: RESOLVER,
        path: "query/src/resolve/expr.rs",
        mutants: &[
            mutant(
                "between-exclusive",
                "«\"<=\"», high.clone()",
                "\"<\"",
                "BETWEEN leaves its upper end out",
            ),
            mutant(
                "symmetric-ignored",
                "if «symmetric» {",
                "false",
                "BETWEEN SYMMETRIC takes no reversed ends",
            ),
            mutant(
                "row-null-by-one",
                "return Ok(Expr::test(«Form::And», tests.collect()));",
                "Form::Or",
                "a row with one null is null",
            ),
        ],
    },
    File {
        area: RESOLVER,
        path: "query/src/resolve/calls.rs",
        mutants: &[
            mutant(
                "nulls-always-last",
                "let nulls_first = «item.nulls_first.unwrap_or(item.descending)»;",
                "item.nulls_first.unwrap_or(false)",
                "nulls come last in descending order, too",
            ),
            mutant(
                "definers-user-is-the-caller",
                "Some(owner) => «Expr::Const { value: Value::text(&**owner), ty: role.ty() }»,",
                "Expr::Caller(CallerField::Role)",
                "in the body of a definer's function `user` is the caller",
            ),
            mutant(
                "session-user-is-in-force",
                "\"session_user\", 0) => «CallerField::Login»,",
                "CallerField::Role",
                "`session_user` is the role in force",
            ),
            mutant(
                "aggregate-filter-lost",
                "filter: «filter.map(Box::new)»,",
                "{ drop(filter); None }",
                "FILTER of aggregates is forgotten",
            ),
            mutant(
                "array-of-none-is-null",
                "args: «vec![rows, none]»,",
                "{ drop(none); vec![rows] }",
                "array(select …) of no rows is null",
            ),
        ],
    },
    File {
        area: RESOLVER,
        path: "query/src/resolve/with.rs",
        mutants: &[mutant(
            "set-operation-all",
            "let mut read = self.put_together(operator, «all», left, right);",
            "true",
            "set operations keep duplicates",
        )],
    },
    File {
        area: RESOLVER,
        path: "query/src/resolve/writes.rs",
        mutants: &[mutant(
            "excluded-is-target",
            "Relation::of_table(declared, Some(\"excluded\"), «excluded»)",
            "target",
            "excluded is the row that is in the way",
        )],
    },
    File {
        area: RESOLVER,
        path: "query/src/visit/questions.rs",
        mutants: &[mutant(
            "casts-never-raise",
            "«modifier.is_some() || !types::stored::is_alike(&expr.ty(), ty)»",
            "modifier.is_some()",
            "casts are evaluated on hidden rows",
        )],
    },
    File {
        area: RESOLVER,
        path: "query/src/ir/form.rs",
        mutants: &[mutant(
            "any-by-never-raises",
            "Nature { raises: «!function.leakproof», computes_all: false }",
            "false",
            "operators with ANY and ALL are evaluated on hidden rows",
        )],
    },
    File {
        area: PLANNER,
        path: "rest/src/resolve/reads.rs",
        mutants: &[
            mutant(
                "embed-by-first-column",
                "self.typing.binary(right.at(self, «*to»), \"=\", left.at(self, *from))",
                "right_columns[0]",
                "an embed by a key of several columns is correlated with the first of them",
            ),
            mutant(
                "inner-is-left",
                "node.children.iter().filter(|child| «child.is_inner()»)",
                "child.is_inner() && child.children.is_empty()",
                "!inner of an embed that has embeds is forgotten",
            ),
            mutant(
                "inner-ignores-range",
                "if «child.range.offset > 0 || child.range.limit == Some(0)» {",
                "false",
                "!inner counts rows that the range of the embed leaves out",
            ),
            mutant(
                "offset-of-one",
                "read.offset = («range.offset > 0»)",
                "range.offset > 1",
                "an offset of one is none",
            ),
            mutant(
                "junction-reversed",
                "self.links(parent, &edge.from_columns, &junction_scope, «&through.from_columns»)?;",
                "&through.to_columns",
                "an embed through a junction is correlated with its other key",
            ),
            mutant(
                "related-nulls-last",
                "        let nulls_first = «term.nulls_first.unwrap_or(term.descending)»;\n        Ok(Order { expr, descending: term.descending, nulls_first })",
                "term.nulls_first.unwrap_or(false)",
                "order=a.desc puts nulls last",
            ),
        ],
    },
    File {
        area: PLANNER,
        path: "rest/src/resolve/outputs.rs",
        mutants: &[mutant(
            "group-key-missing",
            "«read.group.push(groupable(key)?)»;",
            "if read.group.is_empty() { read.group.push(groupable(key)?) } else { drop(key) }",
            "aggregates are grouped by the first column alone",
        )],
    },
    File {
        area: PLANNER,
        path: "query/src/plan.rs",
        mutants: &[mutant(
            "changes-on-snapshots",
            "Step::Fetch(read) if «!visit::changes(read)» =>",
            "true",
            "functions that change rows run where nothing may be changed",
        )],
    },
    File {
        area: PLANNER,
        path: "query/src/check.rs",
        mutants: &[
            mutant(
                "generated-given",
                "Fill::Generated(_) => «true»,",
                "false",
                "values for generated columns are taken",
            ),
            mutant(
                "overriding-ignored",
                "«*always && !insert.overriding»",
                "*always",
                "OVERRIDING SYSTEM VALUE is forgotten",
            ),
        ],
    },
    File {
        area: PLANNER,
        path: "query/src/arbiters.rs",
        mutants: &[
            mutant(
                "partial-index-arbitrates",
                "«is_held(key.predicate.as_ref(), conflict.predicate.as_ref())»",
                "true",
                "ON CONFLICT takes a partial unique index",
            ),
            mutant(
                "wider-key-arbitrates",
                "«own == columns» && all == computed",
                "own.is_superset(&columns)",
                "ON CONFLICT takes a part of a key",
            ),
        ],
    },
    File {
        area: PLANNER,
        path: "query/src/triggers.rs",
        mutants: &[
            mutant(
                "update-of-ignored",
                "self.sets.as_ref().is_none_or(|sets| «!sets.is_disjoint(columns)»)",
                "true",
                "UPDATE OF fires for any column",
            ),
            mutant(
                "young-keys-act-first",
                "map_or(0, |key| «key.age.0»)",
                "u32::MAX - key.age.0",
                "of several keys to a row the youngest acts first",
            ),
            mutant(
                "computed-keys-stay",
                "Fill::Generated(Ok(expr)) => «check::names(expr, columns)».then_some(column),",
                "false",
                "keys to generated columns fire no trigger and do not wait",
            ),
            mutant("disabled-fires", "TriggerMode::Disabled => «false»,", "true", "a disabled trigger fires"),
        ],
    },
    File {
        area: PLANNER,
        path: "engine/src/write.rs",
        mutants: &[
            mutant(
                "affected-by-one",
                "is_some_and(|most| «count(rows) > most»)",
                "count(rows) >= most",
                "max-affected refuses as many rows as it allows",
            ),
            mutant(
                "single-of-none",
                "if write.single && «rows != 1» {",
                "rows > 1",
                "a singular object is answered without a row",
            ),
            mutant(
                "joined-twice",
                "rows.retain(|(row, _)| «met.insert(row.key)»);",
                "{ met.insert(row.key); true }",
                "update … from changes a row as often as it is joined",
            ),
            mutant(
                "touch-unguarded",
                "Some(touch) => «Guard::Rows(Box::new(touch.clone()))»,",
                "if matches!(write.action, Action::Delete { .. }) && filter.is_some() { Guard::Open } else { Guard::Rows(Box::new(touch.clone())) }",
                "deletes with a filter touch rows that policies hide",
            ),
        ],
    },
    File {
        area: PLANNER,
        path: "engine/src/write/row.rs",
        mutants: &[mutant(
            "null-admits",
            "if «!matches!(self.value_at_start(&policy.expr, Some(row), &[]).await?, Value::Bool(true))» {",
            "matches!(self.value_at_start(&policy.expr, Some(row), &[]).await?, Value::Bool(false))",
            "a policy that is null admits the row",
        )],
    },
    File {
        area: PLANNER,
        path: "engine/src/as_it_was.rs",
        mutants: &[
            mutant(
                "own-rows-seen",
                "filter: «beyond(&was.new, kept)»,",
                "None",
                "a statement's policies see the rows that it has stored",
            ),
            mutant(
                "gone-rows-shown",
                "gone.filter = «self.shown(&guard, kept, other)»;",
                "None",
                "rows as they were are shown whatever policies say",
            ),
            mutant(
                "volatile-looks-back",
                "(true, _) => «history.look(None)»,",
                "history.moment()",
                "a volatile function does not see what its statement has done",
            ),
            mutant(
                "own-changes-unseen",
                "if «read.sees_own_changes && self.moment.bodies_see_more» {",
                "false",
                "a volatile function of one select does not see what its statement did",
            ),
            mutant(
                "parts-change-rows-twice",
                "Event::Row { table: of, old: Some((key, _)), .. } => «*of == table && keys.contains(key)»,",
                "false",
                "a row that one part of a statement changed is changed by the next",
            ),
            mutant(
                "body-of-its-own-time",
                "let has_begun = !is_volatile && «history.moment().is_none()»;",
                "false",
                "a stable function sees what it did itself",
            ),
        ],
    },
    File {
        area: PLANNER,
        path: "engine/src/write/insert.rs",
        mutants: &[
            mutant(
                "upsert-twice",
                "if «touched.met.contains(&existing.key) || self.since.is_some_and(has_come)» {",
                "false",
                "an upsert updates a row twice",
            ),
            mutant(
                "other-key-ignored",
                "Err(Failure::Unique { .. }) if «!conflict.names_key()» => Ok(None),",
                "true",
                "an upsert leaves out rows that violate another key",
            ),
            mutant(
                "upsert-condition-null",
                "&& «!matches!(self.value_at_start(filter, Some(row), &[]).await?, Value::Bool(true))»",
                "matches!(self.value_at_start(filter, Some(row), &[]).await?, Value::Bool(false))",
                "the condition of an upsert holds when it is null",
            ),
            mutant(
                "checked-rows-stay-away",
                "None => self.store_rows(write, «&rows», refused.is_some()).await?,",
                "&rows[..if refused.is_some() { 0 } else { rows.len() }]",
                "a duplicate is not told before a row behind it that a check refuses",
            ),
        ],
    },
    File {
        area: PLANNER,
        path: "engine/src/write/update.rs",
        mutants: &[mutant(
            "generated-stale",
            "«columns.extend(generated)»;",
            "drop(generated)",
            "updates do not store generated columns",
        )],
    },
    File {
        area: KEYS,
        path: "engine/src/write/fired.rs",
        mutants: &[
            mutant(
                "delete-not-kept",
                "if «self.fire_before(table, &Operation::Delete, Some(&row.values), None).await?.is_none()» {",
                "self.fire_before(table, &Operation::Delete, Some(&row.values), None).await?.is_none() && false",
                "a trigger cannot keep a row from deletion",
            ),
            mutant(
                "row-triggers-see-no-rows-before",
                "«triggers::operations(write).iter().any(|operation| self.fires_before_rows(write.table, operation))»",
                "false",
                "a trigger before a row does not see the rows before it",
            ),
            mutant(
                "rows-before-a-refused-one-stay-away",
                "for row in «checked» {\n            self.pass_row",
                "if refused.is_err() { Vec::new() } else { checked }",
                "a row that is refused when it is stored is not told before one that is refused when it is checked",
            ),
            mutant(
                "changes-before-a-refused-one-stay-away",
                "for change in «checked» {\n            self.pass_change",
                "if refused.is_err() { Vec::new() } else { checked }",
                "the same of changed rows",
            ),
            mutant(
                "dangling-forgotten",
                "|| «self.transaction.may_references_dangle()»",
                "false",
                "rows that refer to nothing stand for rows that still refer to what goes",
            ),
            mutant(
                "keys-are-never-doubted",
                "let doubts = «self.doubts(table, &row.new).await?»;",
                "Vec::new()",
                "a deferrable key of a row that is stored where triggers are fired is not looked at",
            ),
            mutant(
                "own-rows-are-nobodys",
                "if «self.in_force.has_own(|| triggers::changed(model, write.table, operations.clone()))» {",
                "false",
                "a row that changes before its key is looked at is not looked at",
            ),
        ],
    },
    File {
        area: KEYS,
        path: "engine/src/write/firing.rs",
        mutants: &[
            mutant(
                "trigger-row-ignored",
                "new = «Some(row)»;",
                "{ drop(row); new.take() }",
                "the row that a trigger returns is forgotten",
            ),
            mutant(
                "when-null-fires",
                "Ok(«matches!(self.value_at_start(when, Some(row), &[]).await?, Value::Bool(true))»)",
                "!matches!(self.value_at_start(when, Some(row), &[]).await?, Value::Bool(false))",
                "a trigger fires although its condition is null",
            ),
        ],
    },
    File {
        area: KEYS,
        path: "engine/src/write/afterwards.rs",
        mutants: &[
            mutant(
                "deferred-at-once",
                "&& «constraints.puts_off(model, table, trigger)» =>",
                "false",
                "a deferred trigger does not wait",
            ),
            mutant(
                "upsert-fires-update",
                "if row.old.is_none() { «operations.first()» }",
                "operations.last()",
                "a row that an upsert inserts fires triggers of updates",
            ),
            mutant(
                "keys-come-first",
                "«due.sort_by_key(|(name, _)| *name)»;",
                "()",
                "keys are looked at before triggers whose names come first",
            ),
            mutant(
                "keys-never-wait",
                "may_wait: true } if «constraints.put_off(model, &what)» => Err(what),",
                "false",
                "a deferred key is looked at after its statement",
            ),
            mutant(
                "cascades-end",
                "Due::Action(key) => «self.act(key, (table, &row), queue).await?»,",
                "()",
                "keys do nothing where triggers are fired",
            ),
            mutant(
                "cascades-in-depth",
                "while let Some(Waiting { table, role, what }) = «queue.waiting.pop_front()» {",
                "queue.waiting.pop_back()",
                "what comes after rows further away comes first",
            ),
            mutant(
                "statement-triggers-come-again",
                "What::End { set, end, .. } if «!queue.seen.is_end(set, end)» => Ok(()),",
                "false",
                "triggers of a statement are fired for each part and each cascade",
            ),
        ],
    },
    File {
        area: KEYS,
        path: "engine/src/write/together.rs",
        mutants: &[
            mutant(
                "nothing-is-put-off",
                "Ok(«self.transaction.defer_references().await?»)",
                "()",
                "rows of a statement do not refer to later ones",
            ),
            mutant(
                "rows-are-not-looked-at",
                "«self.look_at(write, rows.iter().map(|row| (None, &**row))).await?»;",
                "()",
                "of inserted rows whose keys were put off, the commit tells that something is missing",
            ),
            mutant(
                "changes-are-not-looked-at",
                "«self.look_at(write, changes.iter().map(|change| (Some(&*change.old), &*change.new))).await?»;",
                "()",
                "of changed rows whose keys were put off, the commit tells it",
            ),
            mutant(
                "upserts-are-not-looked-at",
                "«self.look_at(write, stored.iter().map(|row| (row.old.as_deref(), &*row.new))).await?»;",
                "()",
                "of upserts whose keys were put off, the commit tells it",
            ),
            mutant(
                "left-behind-is-not-looked-at",
                "«self.left_behind(write.table, old).await».map_or(Ok(()), Err)?;",
                "None",
                "what refers to what a row was is not looked at",
            ),
            mutant(
                "references-are-not-looked-at",
                "«self.missing_reference(write, new).await».map_or(Ok(()), Err)?;",
                "None",
                "what a row refers to is not looked at",
            ),
            mutant(
                "beyond-is-not-looked-at",
                "if «is_carried» { self.dangling_beyond",
                "false",
                "what keys have carried on is not looked at",
            ),
            mutant(
                "a-refused-statement-is-looked-at",
                "if «!is_refused» {\n            self.look_at(write, rows",
                "true",
                "the reference of a row is told before the row behind it that is refused",
            ),
        ],
    },
    File {
        area: KEYS,
        path: "engine/src/write/parts.rs",
        mutants: &[
            mutant(
                "parts-are-never-linked",
                "match «self.are_linked(task.write)» {",
                "false",
                "rows of one part of a statement do not refer to those of another",
            ),
            mutant(
                "parts-cross",
                "if «met.any(|by| *by != at)» {",
                "false",
                "a row that refers to what another part removes is answered in the order of the parts",
            ),
            mutant(
                "parts-fire-in-any-order",
                "if «earlier.iter().all(is_known)» {",
                "true",
                "triggers of several parts are fired in an order that PostgreSQL does not have",
            ),
            mutant(
                "later-parts-read-nothing",
                "«rest.iter_mut().for_each(|later| query::visit::put_rows(&mut later.write, id, &rows))»;",
                "drop(rest)",
                "a part cannot read what one before the last returned",
            ),
        ],
    },
    File {
        area: KEYS,
        path: "engine/src/write/actions.rs",
        mutants: &[
            mutant(
                "cascades-are-the-callers",
                "let owner = «self.served.model.catalog[deed.from].owner.clone()»;",
                "self.run.caller.role.clone()",
                "a trigger before a row that a key changes runs as the caller",
            ),
            mutant(
                "cascades-begin-again",
                "if «queue.seen.begins(set)» {",
                "true",
                "triggers before a statement are fired for each row that a key carries on",
            ),
            mutant(
                "carried-values-stay",
                "if «from.ty != to.ty || from.modifier != to.modifier» => {",
                "false",
                "what a key carries on may be too long for its column",
            ),
            mutant(
                "cascades-default-to-null",
                "row[usize::from(column.0)] = «self.fill(&write, column).await?»;",
                "Value::Null",
                "a key sets null where it is to set a default",
            ),
            mutant(
                "defaults-refer-to-nothing",
                "«self.look_for_left((from, at), &deed.values, false).await?»;",
                "()",
                "rows keep by default what they refer to, which is gone",
            ),
            mutant(
                "cascades-stop",
                "let is_last = «most.is_none_or(|most| many < most)»;",
                "true",
                "a key changes no more rows than are in memory at once",
            ),
        ],
    },
    File {
        area: KEYS,
        path: "engine/src/write/doubted.rs",
        mutants: &[
            mutant(
                "nothing-is-in-doubt",
                "None => «self.holders(table, key, row).await?.len() > 1»,",
                "false",
                "a deferrable unique key is never looked at",
            ),
            mutant(
                "doubles-stay",
                "if «self.holders(table, key, row).await?.len() < 2» {",
                "true",
                "a deferrable unique key refuses nothing",
            ),
            mutant(
                "exclusions-are-not-in-doubt",
                "Some(_) => «self.excluded_pair((table, at), row).await?.is_some()»,",
                "false",
                "a deferrable exclusion constraint is never looked at",
            ),
        ],
    },
    File {
        area: KEYS,
        path: "engine/src/in_force.rs",
        mutants: &[
            mutant(
                "parts-begin-again",
                "Some(Some(gathered)) => «gathered.begun.insert((table, operation))»,",
                "true",
                "triggers before a statement are fired for each part",
            ),
            mutant(
                "undone-keys-wait",
                "None => «waiting.truncate(mark.deferred)»,",
                "()",
                "what a part that is undone put off is looked at in the end",
            ),
            mutant(
                "done-in-vain",
                "Some(waited) => «*waiting = waited»,",
                "drop(waited)",
                "what a part that is undone has looked at does not wait again",
            ),
            mutant(
                "undone-constraints-stay",
                "«self.constrain(|said| *said = mark.constraints)»;",
                "()",
                "SET CONSTRAINTS holds beyond the part that is undone",
            ),
        ],
    },
    File {
        area: TRANSACTIONS,
        path: "drivers/src/sqlite/inside.rs",
        mutants: &[
            mutant(
                "guard-ends-with-its-part",
                "if keep { «&[\"RELEASE part\"]» }",
                "&[\"RELEASE part\", \"PRAGMA defer_foreign_keys = OFF\"]",
                "what nobody looked at is forgotten when a part ends",
            ),
            mutant(
                "guard-is-off",
                "«self.part(&[\"PRAGMA defer_foreign_keys = ON\"])»",
                "self.rest(true).map(drop)",
                "keys that wait are looked at by nobody",
            ),
            mutant(
                "waiting-is-not-told",
                "self.surroundings.have_references_wait(«self.surroundings.writes()»);",
                "false",
                "nobody knows that keys wait",
            ),
        ],
    },
    File {
        area: TRANSACTIONS,
        path: "drivers/src/sqlite/writer.rs",
        mutants: &[mutant(
            "keys-of-the-next-job-wait",
            "let is_last = «prepared.surroundings.do_references_wait()» || prepared",
            "false",
            "what a job forgets is refused with all jobs of its group",
        )],
    },
    File {
        area: RENDERER,
        path: "render/src/sqlite/mod.rs",
        mutants: &[mutant(
            "quotes-not-doubled",
            "self.push(&«text.replace('\\'', \"''\")»);",
            "text.to_string()",
            "constants of the schema end at their first quote",
        )],
    },
    File {
        area: RENDERER,
        path: "render/src/sqlite/read.rs",
        mutants: &[
            mutant(
                "distinct-by-bytes",
                "let distinct_keys = read.distinct && «needs_keys(read)»;",
                "false",
                "DISTINCT takes equal values for different ones",
            ),
            mutant(
                "having-without-group",
                "&& («read.having.is_some()» || read.order.iter().any(",
                "false",
                "HAVING without a group is a filter",
            ),
            mutant(
                "subqueries-not-fenced",
                "std::mem::replace(&mut self.fenced, «needs_fence(read)»);",
                "false",
                "filters on views and subqueries are evaluated on hidden rows",
            ),
            mutant(
                "raising-not-apart",
                ".partition(|condition| «!guards.is_empty() && query::may_raise(condition)»);",
                "false",
                "filters are evaluated on hidden rows",
            ),
            mutant(
                "computed-too-early",
                "let (from, early) = (&read.from, «computes_rows(&read.from)»);",
                "false",
                "set-returning functions are evaluated on hidden rows",
            ),
            mutant(
                "having-too-early",
                "let apart = «has_guard(&read.from) && query::may_raise(having)»;",
                "false",
                "HAVING is evaluated on hidden rows",
            ),
            mutant(
                "ties-by-chance",
                "let tie = if «grouped» { None }",
                "true",
                "equal rows come in any order",
            ),
            mutant(
                "nulls-as-sqlite",
                "if «native != key.nulls_first» {",
                "false",
                "nulls sort as SQLite has them",
            ),
            mutant(
                "nulls-of-descending",
                "let native = «!key.descending»;",
                "true",
                "nulls of descending orders are at the wrong end",
            ),
            mutant(
                "offset-by-one",
                "self.push(«\" OFFSET \"»);",
                "\" OFFSET 1 + \"",
                "OFFSET leaves out one row more",
            ),
            mutant("limit-by-one", "self.push(«\" LIMIT \"»);", "\" LIMIT 1 + \"", "LIMIT has one row more"),
            mutant(
                "null-limit",
                "if «matches!(bound, Expr::Const { value, .. } if !value.is_null())» {",
                "true",
                "LIMIT NULL is an error",
            ),
            mutant(
                "guard-lost-beside",
                "«guards.push(guard)»;",
                "if guards.is_empty() { guards.push(guard) }",
                "policies of the second table of a join are forgotten",
            ),
            mutant(
                "guard-after-left-join",
                "self.joined(right, «right_null || raises», guards)?;",
                "raises",
                "policies of the right side of a left join drop rows of the left one",
            ),
            mutant(
                "join-condition-early",
                "self.joined(left, left_null || «raises», guards)?;",
                "false",
                "the condition of a join is evaluated on hidden rows",
            ),
            mutant(
                "full-join-guard",
                "JoinKind::Full => (\" FULL JOIN \", «true», true),",
                "false",
                "policies of the left side of a full join drop rows of the right one",
            ),
            mutant(
                "guard-lost-in-side",
                "self.declared(|writer| «writer.condition(guard)»)?;",
                "{ writer.push(\"true\"); Ok(()) }",
                "policies of the nullable side of a join are forgotten",
            ),
            mutant(
                "nested-unordered",
                "self.read(&nest.read, «Use::Rows»)?;",
                "Use::Set",
                "embedded rows come in any order",
            ),
            mutant(
                "compound-right-open",
                "has_guard(&left.from) || «has_guard(&right.from)»,",
                "false",
                "filters are evaluated on hidden rows of the right side of a union",
            ),
            mutant(
                "inner-guard-unseen",
                "Source::Read { read, .. } => found |= read.chooses || «has_guard(&read.from)»,",
                "false",
                "filters are evaluated on hidden rows of views of views",
            ),
            mutant(
                "raising-columns-unseen",
                "let asks = !conditions.is_empty() && («raises» ||",
                "false",
                "columns of views that raise errors are evaluated on hidden rows",
            ),
            mutant(
                "group-by-first",
                "«self.list(&read.group, \", \", Writer::distinguished)?»;",
                "self.list(&read.group[..1], \", \", Writer::distinguished)?",
                "rows are grouped by the first key alone",
            ),
        ],
    },
    File {
        area: RENDERER,
        path: "render/src/sqlite/expr.rs",
        mutants: &[
            mutant(
                "inner-collation",
                "let binary = «names::is_text(&ty)»",
                "false",
                "a collation inside of an expression decides how it compares",
            ),
            mutant(
                "order-by-bytes",
                "ty if «names::native(&ty)» => self.native_key(expr),",
                "true",
                "arrays and ranges sort by their text",
            ),
            mutant(
                "groups-by-bytes",
                "if «names::native_equality(&ty)» { self.native_key(expr) } else { self.key(expr, &ty) }",
                "true",
                "equal values are different groups",
            ),
            mutant(
                "compare-by-bytes",
                "if «names::native(&ty)» || (equality && names::native_equality(&ty)) {",
                "!matches!(ty, Type::Enum(_))",
                "arrays and ranges compare by their text",
            ),
            mutant(
                "distinct-from-null",
                "Form::Distinct => self.identity(«\" IS NOT \"»,",
                "\" <> \"",
                "null is distinct from nothing",
            ),
            mutant(
                "not-true-is-false",
                "(true, true) => «\" IS NOT TRUE)\"»,",
                "\" IS FALSE)\"",
                "null is true",
            ),
            mutant(
                "operands-all-evaluated",
                "let guarded = «!std::mem::take(&mut is_first) && !writer.kept && (raises || is_last_asked)»;",
                "false",
                "AND evaluates what does not matter any more",
            ),
            mutant(
                "not-in-ignores-null",
                "        self.push(word);\n        «self.read(read, Use::Set)?»;",
                "{ let mut seen = read.clone(); let there = seen.outputs.iter().map(|output| Expr::test(Form::IsNotNull, vec![output.expr.clone()])).collect::<Vec<_>>(); seen.filter = Expr::all(seen.filter.take().into_iter().chain(there)); self.read(&seen, Use::Set)? }",
                "NOT IN of rows with a null holds",
            ),
            mutant(
                "modifier-dropped",
                "if «modifier.is_none()» && types::stored::is_alike",
                "true",
                "casts to varchar(3) do not cut",
            ),
            mutant(
                "casts-assign",
                "words.push_str(if «explicit» { \";e\" }",
                "false",
                "explicit casts are as strict as assignments",
            ),
            mutant(
                "first-row-taken",
                "let single = «matches!(read.from, query::Source::Unit)»",
                "true",
                "a subquery with a second row is no error",
            ),
            mutant(
                "count-all",
                "self.push(if «distinct» { \"count(DISTINCT \" }",
                "false",
                "count(distinct …) counts all",
            ),
            mutant(
                "aggregate-unordered",
                "if «!order.is_empty()» {\n            self.push(\" ORDER BY \");",
                "false",
                "aggregates take rows in any order",
            ),
            mutant(
                "all-of-is-any-of",
                "Form::AllOf(compare) => self.special(«Special::AllOf»,",
                "Special::AnyOf",
                "one element is enough for ALL in rows",
            ),
        ],
    },
    File {
        area: RENDERER,
        path: "render/src/sqlite/compound.rs",
        mutants: &[
            mutant(
                "union-all-distinct",
                "(SetOperator::Union, true) => «\" UNION ALL \"»,",
                "\" UNION \"",
                "UNION ALL drops duplicates",
            ),
            mutant(
                "except-all-distinct",
                "return if «all && operator != SetOperator::Union» {",
                "false",
                "EXCEPT ALL and INTERSECT ALL drop duplicates",
            ),
            mutant(
                "with-merged",
                "else { «\") AS MATERIALIZED (\"» }",
                "\") AS (\"",
                "filters are moved into common table expressions",
            ),
            mutant(
                "union-by-bytes",
                "_ => self.member(left, «!all»)?,",
                "false",
                "UNION takes equal values for different ones",
            ),
        ],
    },
    File {
        area: RENDERER,
        path: "render/src/frame.rs",
        mutants: &[
            mutant(
                "ties-are-group",
                "FrameExclusion::Ties => «\" EXCLUDE TIES\"»,",
                "\" EXCLUDE GROUP\"",
                "EXCLUDE TIES leaves the row itself out",
            ),
            mutant(
                "groups-are-rows",
                "FrameUnit::Groups => «\" GROUPS BETWEEN \"»,",
                "\" ROWS BETWEEN \"",
                "frames of groups are frames of rows",
            ),
        ],
    },
    File {
        area: RENDERER,
        path: "render/src/sqlite/window.rs",
        mutants: &[mutant(
            "frame-end-lost",
            "«self.frame_bound(&frame.end)?»;",
            "self.frame_bound(&FrameBound::Current)?",
            "frames end at the current row",
        )],
    },
    File {
        area: POLICIES,
        path: "catalog/src/access.rs",
        mutants: &[
            mutant(
                "superuser-by-membership",
                "«roles.first().and_then(|role| self.role(role)).is_some_and(|role| role.superuser)»",
                "roles.iter().any(|role| self.role(role).is_some_and(|role| role.superuser))",
                "whoever is a member of a superuser is one",
            ),
            mutant(
                "service-role-everywhere",
                "|| (role == SERVICE_ROLE && «here()»)",
                "true",
                "service_role reads tables of all schemas without a grant",
            ),
            mutant(
                "functions-of-the-caller",
                "role == \"public\" || «role == &*function.owner» || here",
                "true",
                "a function that was revoked from everybody can be called",
            ),
        ],
    },
    File {
        area: RESOLVER,
        path: "query/src/resolve/sets.rs",
        mutants: &[
            mutant(
                "rows-from-one-row",
                "if let Some((_, rows)) = «self.declared_rows(call, definitions, |_| true)?» {",
                "self.declared_rows(call, definitions, |_| true)?.map(|(value, rows)| (value, Read { limit: Some(Expr::Const { value: Value::Int(1), ty: Type::Int8 }), ..rows }))",
                "ROWS FROM takes the first row of a declared function",
            ),
            mutant(
                "rows-from-first-names",
                "let position = u16::try_from(«outputs.len()»).map_err(Error::internal)?;\n                let column",
                "outputs.len().saturating_sub(1)",
                "ROWS FROM shows a column in the place of the next",
            ),
            mutant(
                "unnest-of-one",
                "if call.name.name == \"unnest\" && «args.len() > 1» {",
                "args.len() > 2",
                "unnest of two arrays is not known",
            ),
        ],
    },
    File {
        area: RESOLVER,
        path: "query/src/parts.rs",
        mutants: &[
            mutant(
                "parts-free-keys",
                "if !is_last && «after.is_some_and(|after| interfere(model, earlier, after))» {",
                "false",
                "parts that free a key and take it are done although their order could be told",
            ),
            mutant(
                "parts-seen-by-functions",
                "«refuse_seen(model, unread, &change)?»;",
                "()",
                "a volatile function sees what a part did that PostgreSQL does later",
            ),
        ],
    },
    File {
        area: KEYS,
        path: "engine/src/write/excluded.rs",
        mutants: &[
            mutant(
                "exclusion-without-predicate",
                "&& «!matches!(self.value(predicate, Some(tuple), &[]).await?, Value::Bool(true))»",
                "false",
                "rows beyond the predicate of an exclusion constraint are refused",
            ),
            mutant(
                "exclusion-tells-all",
                "if «!sight.whole() && !columns.is_some_and(|columns| sight.columns(&columns))» {",
                "false",
                "an exclusion tells values to those who may not see them",
            ),
        ],
    },
    File {
        area: KEYS,
        path: "engine/src/constraints.rs",
        mutants: &[
            mutant(
                "set-immediate-is-late",
                "self.in_force.constrain(|said| said.set(constraints, deferred));\n        if «deferred» {",
                "true",
                "SET CONSTRAINTS IMMEDIATE looks at the end",
            ),
            mutant(
                "set-all-keeps-named",
                "None => *self = Constraints { all: Some(deferred), each: «BTreeMap::new()» },",
                "std::mem::take(&mut self.each)",
                "SET CONSTRAINTS ALL forgets those that were named before",
            ),
            mutant(
                "set-named-ignored",
                "said.or(self.all).unwrap_or(«constraint.initially_deferred»)",
                "false",
                "what is INITIALLY DEFERRED does not wait",
            ),
            mutant(
                "any-key-is-deferrable",
                "if «deferred && found.iter().any(|constraint| !constraint.deferrable)» {",
                "false",
                "a key that cannot wait is told to",
            ),
            mutant(
                "all-before-named",
                "«said.or(self.all)».unwrap_or",
                "self.all.or(said)",
                "SET CONSTRAINTS of a name is forgotten for ALL that was said before",
            ),
            mutant(
                "immediate-keys-wait",
                "if «!constraint.deferrable» {",
                "false",
                "a key that is not deferrable waits after SET CONSTRAINTS ALL DEFERRED",
            ),
            mutant(
                "immediate-comes-too-late",
                "let due = «self.in_force.take_due(&model)»;",
                "Vec::new()",
                "SET CONSTRAINTS IMMEDIATE does not look at what waits",
            ),
        ],
    },
    File {
        area: KEYS,
        path: "engine/src/write/references.rs",
        mutants: &[
            mutant(
                "keys-asked-in-depth",
                "while let Some((at, row)) = «open.pop_front()» {",
                "open.pop_back()",
                "of several keys another one refuses",
            ),
            mutant(
                "gone-rows-refuse",
                "«!gone.contains(&(from, row.key))» && !let_go",
                "true",
                "rows that go together keep each other",
            ),
            mutant(
                "waiting-keys-are-nobodys",
                "«touched.push(TouchedKey { trigger: \"RI_ConstraintTrigger_c\", due })»;",
                "drop(due)",
                "keys that are not the engine's are looked at by nobody",
            ),
            mutant(
                "own-references-wait-for-nobody",
                "if «of(new, &foreign.columns).is_some() && is_looked_at» {",
                "false",
                "what a row refers to is not looked at when its key waited",
            ),
            mutant(
                "own-rows-are-kept",
                "let is_looked_at = «row.was_own» ||",
                "false",
                "a row that a transaction has made is not looked at again when it changes",
            ),
            mutant(
                "restrict-gives-way",
                "|| «!restricts» && self.has_row(",
                "true",
                "another row may take over what a key with restrict refers to",
            ),
            mutant(
                "old-rows-are-looked-at",
                "if «self.has_row(target, &key.target_columns, &values).await?» {\n            return Ok(());\n        }\n        let Some(found)",
                "false",
                "a row that refers to something is refused",
            ),
            mutant(
                "left-references-wait-for-nobody",
                "let values = «of(old, &columns).filter(|_| !is_kept(&columns))»;",
                "None",
                "what refers to a row that is gone is not looked at when its key waited",
            ),
            mutant(
                "gone-rows-refer",
                "if «!self.has_row(from, &names_of(referencing, key), values).await?»\n            || !restricts",
                "false",
                "a key that waited refuses a row that is gone by then",
            ),
        ],
    },
    File {
        area: PLANNER,
        path: "backplane/src/road/kept.rs",
        mutants: &[mutant(
            "kept-for-all-roles",
            "let key = Key { role: «ground.caller.role.clone()», shape",
            "Arc::from(\"anon\")",
            "a read is kept for whoever comes next",
        )],
    },
    File {
        area: RENDERER,
        path: "render/src/kept.rs",
        mutants: &[mutant(
            "kept-caller-stays",
            "Origin::Caller(field) => «bindings.caller_field(field)?»,",
            "{ drop(field); Stored::Null }",
            "a read that is kept asks for nobody",
        )],
    },
];
