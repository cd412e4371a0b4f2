"""People: the register, sign-in, approvals, routes, policy versions, escalation, advice, wishes, machine readers."""

import json

import sqlalchemy as sa
from alembic import op

from moderator.store.columns import UtcDateTime

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('api_tokens',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('secret_sha256', sa.String(), nullable=False),
    sa.Column('label', sa.String(), nullable=False),
    sa.Column('school', sa.String(), nullable=False),
    sa.Column('scopes', sa.String(), nullable=False),
    sa.Column('made_by', sa.String(), nullable=False),
    sa.Column('made_at', UtcDateTime, nullable=False),
    sa.Column('expires_on', sa.Date(), nullable=False),
    sa.Column('ended_at', UtcDateTime, nullable=True),
    sa.Column('used_at', UtcDateTime, nullable=True),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('secret_sha256')
    )
    op.create_table('people',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('email', sa.String(), nullable=False),
    sa.Column('roll_reference', sa.String(), server_default='', nullable=False),
    sa.Column('password_hash', sa.String(), server_default='', nullable=False),
    sa.Column('totp_sealed', sa.LargeBinary(), nullable=True),
    sa.Column('totp_step', sa.Integer(), server_default='0', nullable=False),
    sa.Column('oidc_issuer', sa.String(), server_default='', nullable=False),
    sa.Column('oidc_subject', sa.String(), server_default='', nullable=False),
    sa.Column('failures', sa.Integer(), server_default='0', nullable=False),
    sa.Column('failed_at', UtcDateTime, nullable=True),
    sa.Column('created_at', UtcDateTime, nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('email')
    )
    op.create_table('policies',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('version', sa.String(), nullable=False),
    sa.Column('toml', sa.String(), nullable=False),
    sa.Column('author', sa.String(), nullable=False),
    sa.Column('at', UtcDateTime, nullable=False),
    sa.Column('why', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('version')
    )
    op.create_table('absences',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('first_day', sa.Date(), nullable=False),
    sa.Column('last_day', sa.Date(), nullable=False),
    sa.Column('noted_by', sa.String(), nullable=False),
    sa.Column('noted_at', UtcDateTime, nullable=False),
    sa.Column('cancelled_at', UtcDateTime, nullable=True),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_absences_person_id'), 'absences', ['person_id'], unique=False)
    op.create_table('delegations',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('school', sa.String(), nullable=False),
    sa.Column('reference', sa.String(), nullable=False),
    sa.Column('words', sa.String(), nullable=False),
    sa.Column('signed_by', sa.String(), nullable=False),
    sa.Column('signed_on', sa.Date(), nullable=False),
    sa.Column('ends_on', sa.Date(), nullable=False),
    sa.Column('withdrawn_at', UtcDateTime, nullable=True),
    sa.Column('withdrawn_by', sa.String(), server_default='', nullable=False),
    sa.ForeignKeyConstraint(['school'], ['schools.slug'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_delegations_school'), 'delegations', ['school'], unique=False)
    op.create_table('designations',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('role', sa.String(), nullable=False),
    sa.Column('school', sa.String(), nullable=False),
    sa.Column('reference', sa.String(), nullable=False),
    sa.Column('signed_by', sa.String(), nullable=False),
    sa.Column('signed_on', sa.Date(), nullable=False),
    sa.Column('begins_on', sa.Date(), nullable=False),
    sa.Column('ends_on', sa.Date(), nullable=True),
    sa.Column('ended_at', UtcDateTime, nullable=True),
    sa.Column('ended_by', sa.String(), server_default='', nullable=False),
    sa.Column('end_reason', sa.String(), server_default='', nullable=False),
    sa.CheckConstraint("ended_at IS NULL OR ended_by <> ''", name='r3_end_has_somebody'),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('reference')
    )
    op.create_index(op.f('ix_designations_person_id'), 'designations', ['person_id'], unique=False)
    op.create_index('ix_designations_school', 'designations', ['school', 'role'], unique=False)
    op.create_table('house_rules',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('school', sa.String(), nullable=False),
    sa.Column('words', sa.String(), nullable=False),
    sa.Column('link', sa.String(), server_default='', nullable=False),
    sa.Column('author', sa.String(), nullable=False),
    sa.Column('at', UtcDateTime, nullable=False),
    sa.Column('why', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['school'], ['schools.slug'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_house_rules_school'), 'house_rules', ['school'], unique=False)
    op.create_table('passkeys',
    sa.Column('credential_id', sa.String(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('public_key', sa.LargeBinary(), nullable=False),
    sa.Column('sign_count', sa.Integer(), nullable=False),
    sa.Column('label', sa.String(), nullable=False),
    sa.Column('added_at', UtcDateTime, nullable=False),
    sa.Column('used_at', UtcDateTime, nullable=True),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], ),
    sa.PrimaryKeyConstraint('credential_id')
    )
    op.create_index(op.f('ix_passkeys_person_id'), 'passkeys', ['person_id'], unique=False)
    op.create_table('recovery_codes',
    sa.Column('code_sha256', sa.String(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('made_at', UtcDateTime, nullable=False),
    sa.Column('used_at', UtcDateTime, nullable=True),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], ),
    sa.PrimaryKeyConstraint('code_sha256')
    )
    op.create_index(op.f('ix_recovery_codes_person_id'), 'recovery_codes', ['person_id'], unique=False)
    op.create_table('routes',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('school', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('roles', sa.String(), nullable=False),
    sa.Column('author', sa.String(), nullable=False),
    sa.Column('at', UtcDateTime, nullable=False),
    sa.Column('why', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['school'], ['schools.slug'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_routes_newest', 'routes', ['school', 'kind', 'id'], unique=False)
    op.create_table('webhooks',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('school', sa.String(), nullable=False),
    sa.Column('url', sa.String(), nullable=False),
    sa.Column('secret_sealed', sa.LargeBinary(), nullable=False),
    sa.Column('events', sa.String(), nullable=False),
    sa.Column('after_seq', sa.Integer(), nullable=False),
    sa.Column('made_by', sa.String(), nullable=False),
    sa.Column('made_at', UtcDateTime, nullable=False),
    sa.Column('ended_at', UtcDateTime, nullable=True),
    sa.Column('due_at', UtcDateTime, nullable=False),
    sa.Column('lease_until', UtcDateTime, nullable=True),
    sa.Column('attempts', sa.Integer(), server_default='0', nullable=False),
    sa.Column('trouble', sa.String(), server_default='', nullable=False),
    sa.ForeignKeyConstraint(['school'], ['schools.slug'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('school', 'url')
    )
    op.create_table('attestations',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('account_id', sa.Integer(), nullable=True),
    sa.Column('school', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('on_date', sa.Date(), nullable=False),
    sa.Column('by', sa.String(), nullable=False),
    sa.Column('at', UtcDateTime, nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], ),
    sa.ForeignKeyConstraint(['school'], ['schools.slug'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_attestations_newest', 'attestations', ['account_id', 'kind', 'on_date'], unique=False)
    op.create_table('authorisings',
    sa.Column('state_sha256', sa.String(), nullable=False),
    sa.Column('account_id', sa.Integer(), nullable=True),
    sa.Column('session', sa.String(), server_default='', nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('expires_at', UtcDateTime, nullable=False),
    sa.Column('used_at', UtcDateTime, nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], ),
    sa.PrimaryKeyConstraint('state_sha256')
    )
    op.create_table('advice',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('item_id', sa.Integer(), nullable=False),
    sa.Column('why', sa.String(), nullable=False),
    sa.Column('asked_by', sa.String(), nullable=False),
    sa.Column('asked_at', UtcDateTime, nullable=False),
    sa.Column('advice', sa.String(), server_default='', nullable=False),
    sa.Column('received_by', sa.String(), server_default='', nullable=False),
    sa.Column('received_at', UtcDateTime, nullable=True),
    sa.ForeignKeyConstraint(['item_id'], ['items.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_advice_item_id'), 'advice', ['item_id'], unique=False)
    op.create_table('escalations',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('item_id', sa.Integer(), nullable=False),
    sa.Column('role', sa.String(), nullable=False),
    sa.Column('why', sa.String(), nullable=False),
    sa.Column('by', sa.String(), nullable=False),
    sa.Column('at', UtcDateTime, nullable=False),
    sa.ForeignKeyConstraint(['item_id'], ['items.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_escalations_item_id'), 'escalations', ['item_id'], unique=False)
    op.create_table('item_people',
    sa.Column('item_id', sa.Integer(), nullable=False),
    sa.Column('reference', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['item_id'], ['items.id'], ),
    sa.PrimaryKeyConstraint('item_id', 'reference')
    )
    op.create_table('wishes',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('item_id', sa.Integer(), nullable=False),
    sa.Column('wishes', sa.String(), nullable=False),
    sa.Column('police', sa.String(), nullable=False),
    sa.Column('noted_by', sa.String(), nullable=False),
    sa.Column('at', UtcDateTime, nullable=False),
    sa.ForeignKeyConstraint(['item_id'], ['items.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_wishes_item_id'), 'wishes', ['item_id'], unique=False)
    op.add_column('accounts', sa.Column('requested_by', sa.String(), server_default='', nullable=False))
    op.add_column('accounts', sa.Column('requested_at', UtcDateTime, nullable=True))
    op.add_column('accounts', sa.Column('purpose', sa.String(), server_default='', nullable=False))
    op.add_column('accounts', sa.Column('declined_at', UtcDateTime, nullable=True))
    op.add_column('accounts', sa.Column('declined_by', sa.String(), server_default='', nullable=False))
    op.add_column('accounts', sa.Column('declined_why', sa.String(), server_default='', nullable=False))
    op.add_column('approvals', sa.Column('why', sa.String(), server_default='', nullable=False))
    op.add_column('approvals', sa.Column('withdrawn_by', sa.String(), server_default='', nullable=False))
    op.add_column('approvals', sa.Column('withdrawn_why', sa.String(), server_default='', nullable=False))
    op.add_column('items', sa.Column('safeguarding', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column('items', sa.Column('awaits_advice', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column('items', sa.Column('grounds', sa.String(), server_default='', nullable=False))
    op.add_column('items', sa.Column('about', sa.String(), server_default='', nullable=False))
    op.drop_index(op.f('ix_items_review'), table_name='items', sqlite_where=sa.text('needs_review = 1'))
    op.create_index('ix_items_review', 'items', ['school', 'rank', 'id', 'safeguarding', 'awaits_advice', 'held_at', 'first_seen_at', 'account_id', 'state', 'grounds', 'about', 'needs_review'], unique=False, sqlite_where=sa.text('needs_review = 1'), postgresql_where=sa.text('needs_review'))
    op.create_index('ix_items_chances', 'items', ['first_seen_at'], unique=False, sqlite_where=sa.text('pruned = 1 AND score IS NOT NULL'), postgresql_where=sa.text('pruned AND score IS NOT NULL'))
    op.create_index('ix_items_flagged', 'items', ['school', 'first_seen_at'], unique=False, sqlite_where=sa.text('rank < 9'), postgresql_where=sa.text('rank < 9'))
    op.create_index('ix_records_sealed', 'records', ['school', 'sealed_at', 'record_id'], unique=False)
    op.add_column('sign_ins', sa.Column('person_id', sa.Integer(), nullable=True))
    op.add_column('sign_ins', sa.Column('agent_sha256', sa.String(), server_default='', nullable=False))
    op.add_column('sign_ins', sa.Column('seen_at', UtcDateTime, nullable=True))
    op.add_column('sign_ins', sa.Column('proved_at', UtcDateTime, nullable=True))
    op.create_index(op.f('ix_sign_ins_person_id'), 'sign_ins', ['person_id'], unique=False)
    _tell_from_what_was_decided()


def _tell_from_what_was_decided() -> None:
    """Fill what earlier versions did not keep: grounds, kinds of people, disclosures (R15), and who is named (R21), by batches of ids."""
    connection = op.get_bind()
    items = sa.table("items", *(sa.column(name) for name in ("id", "outcome", "decision", "score", "grounds", "about")), SAFEGUARDING)
    people = sa.table("item_people", sa.column("item_id"), sa.column("reference"))
    last = 0
    while True:
        flagged = sa.select(items.c.id, items.c.outcome, items.c.decision, items.c.score).where(
            items.c.id > last, items.c.outcome.in_(["hide", "route", "withhold"]), items.c.decision.is_not(None)
        )
        rows = connection.execute(flagged.order_by(items.c.id).limit(500)).all()
        if not rows:
            return
        last = rows[-1].id
        for row in rows:
            labels = list(dict.fromkeys(reason[0] for reason in json.loads(row.decision)["reasons"]))
            named = [] if row.score is None or row.outcome == "withhold" else json.loads(row.score).get("p", [])
            kinds = {person[3] for person in named if person[6] and person[3] not in {"public", "unknown"}}
            if "accused_teacher" in labels and row.score is not None and row.outcome != "withhold":
                kinds.add("staff")
            told = {
                "grounds": f",{','.join(labels)}," if labels else "",
                "about": f",{','.join(sorted(kinds))}," if kinds else "",
                "safeguarding": bool({"disclosure", "crisis"} & set(labels)),
            }
            connection.execute(sa.update(items).where(items.c.id == row.id).values(told))
            references = sorted({person[5] for person in named if person[5]})
            if references:
                connection.execute(sa.insert(people), [{"item_id": row.id, "reference": each} for each in references])


SAFEGUARDING: sa.ColumnClause[bool] = sa.column("safeguarding", sa.Boolean())



def downgrade() -> None:
    op.drop_index(op.f('ix_sign_ins_person_id'), table_name='sign_ins')
    op.drop_column('sign_ins', 'proved_at')
    op.drop_column('sign_ins', 'seen_at')
    op.drop_column('sign_ins', 'agent_sha256')
    op.drop_column('sign_ins', 'person_id')
    op.drop_index('ix_records_sealed', table_name='records')
    op.drop_index('ix_items_flagged', table_name='items', sqlite_where=sa.text('rank < 9'), postgresql_where=sa.text('rank < 9'))
    op.drop_index('ix_items_chances', table_name='items', sqlite_where=sa.text('pruned = 1 AND score IS NOT NULL'), postgresql_where=sa.text('pruned AND score IS NOT NULL'))
    op.drop_index('ix_items_review', table_name='items', sqlite_where=sa.text('needs_review = 1'), postgresql_where=sa.text('needs_review'))
    op.create_index(op.f('ix_items_review'), 'items', ['school', 'rank', 'id'], unique=False, sqlite_where=sa.text('needs_review = 1'))
    op.drop_column('items', 'about')
    op.drop_column('items', 'grounds')
    op.drop_column('items', 'awaits_advice')
    op.drop_column('items', 'safeguarding')
    op.drop_column('approvals', 'withdrawn_why')
    op.drop_column('approvals', 'withdrawn_by')
    op.drop_column('approvals', 'why')
    op.drop_column('accounts', 'declined_why')
    op.drop_column('accounts', 'declined_by')
    op.drop_column('accounts', 'declined_at')
    op.drop_column('accounts', 'purpose')
    op.drop_column('accounts', 'requested_at')
    op.drop_column('accounts', 'requested_by')
    op.drop_index(op.f('ix_wishes_item_id'), table_name='wishes')
    op.drop_table('wishes')
    op.drop_table('item_people')
    op.drop_index(op.f('ix_escalations_item_id'), table_name='escalations')
    op.drop_table('escalations')
    op.drop_index(op.f('ix_advice_item_id'), table_name='advice')
    op.drop_table('advice')
    op.drop_table('authorisings')
    op.drop_index('ix_attestations_newest', table_name='attestations')
    op.drop_table('attestations')
    op.drop_table('webhooks')
    op.drop_index('ix_routes_newest', table_name='routes')
    op.drop_table('routes')
    op.drop_index(op.f('ix_recovery_codes_person_id'), table_name='recovery_codes')
    op.drop_table('recovery_codes')
    op.drop_index(op.f('ix_passkeys_person_id'), table_name='passkeys')
    op.drop_table('passkeys')
    op.drop_index(op.f('ix_house_rules_school'), table_name='house_rules')
    op.drop_table('house_rules')
    op.drop_index('ix_designations_school', table_name='designations')
    op.drop_index(op.f('ix_designations_person_id'), table_name='designations')
    op.drop_table('designations')
    op.drop_index(op.f('ix_delegations_school'), table_name='delegations')
    op.drop_table('delegations')
    op.drop_index(op.f('ix_absences_person_id'), table_name='absences')
    op.drop_table('absences')
    op.drop_table('policies')
    op.drop_table('people')
    op.drop_table('api_tokens')
