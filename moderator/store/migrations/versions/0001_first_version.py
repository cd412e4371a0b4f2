"""first version."""

import sqlalchemy as sa
from alembic import op

from moderator.store.columns import UtcDateTime

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None

FROZEN = {
    "records": "record_id, item_id, school, path, manifest_sha256, captured_at, sealed_at, capture_kind, blocked_requests",
    "ledger": "school, seq, at, event, subject, line, hash",
}
"""Columns that never change once written (R9). `records.stamp_pending` may: a timestamp can come later."""


def _append_only() -> None:
    postgres = op.get_bind().dialect.name == "postgresql"
    if postgres:
        op.execute(
            "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'records and ledger lines are permanent'; END $$"
        )
    for table, columns in FROZEN.items():
        for name, when in (("no_edit", f"UPDATE OF {columns}"), ("no_delete", "DELETE")):
            does = (
                "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
                if postgres
                else "BEGIN SELECT RAISE(ABORT, 'records and ledger lines are permanent'); END"
            )
            op.execute(f"CREATE TRIGGER {table}_{name} BEFORE {when} ON {table} {does}")


def _not_append_only() -> None:
    postgres = op.get_bind().dialect.name == "postgresql"
    for table in FROZEN:
        for name in ("no_edit", "no_delete"):
            op.execute(f"DROP TRIGGER {table}_{name}" + (f" ON {table}" if postgres else ""))
    if postgres:
        op.execute("DROP FUNCTION refuse_change()")


def upgrade() -> None:
    """Apply."""
    op.create_table('alerts',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('school', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('severity', sa.String(), nullable=False),
    sa.Column('subject', sa.String(), nullable=False),
    sa.Column('what', sa.String(), nullable=False),
    sa.Column('done', sa.String(), nullable=False),
    sa.Column('at', UtcDateTime, nullable=False),
    sa.Column('due_at', UtcDateTime, nullable=False),
    sa.Column('item_id', sa.Integer(), nullable=True),
    sa.Column('lease_until', UtcDateTime, nullable=True),
    sa.Column('mail_key', sa.String(), nullable=True),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('key')
    )
    with op.batch_alter_table('alerts', schema=None) as batch_op:
        batch_op.create_index('ix_alerts_waiting', ['school', 'due_at'], unique=False, sqlite_where=sa.text('mail_key IS NULL'), postgresql_where=sa.text('mail_key IS NULL'))

    op.create_table('digests',
    sa.Column('school', sa.String(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('head_seq', sa.Integer(), nullable=False),
    sa.Column('head_hash', sa.String(), nullable=False),
    sa.Column('composed_at', UtcDateTime, nullable=False),
    sa.PrimaryKeyConstraint('school', 'day')
    )
    op.create_table('ledger',
    sa.Column('school', sa.String(), nullable=False),
    sa.Column('seq', sa.Integer(), nullable=False),
    sa.Column('at', UtcDateTime, nullable=False),
    sa.Column('event', sa.String(), nullable=False),
    sa.Column('subject', sa.String(), nullable=False),
    sa.Column('line', sa.String(), nullable=False),
    sa.Column('hash', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('school', 'seq')
    )
    with op.batch_alter_table('ledger', schema=None) as batch_op:
        batch_op.create_index('ix_ledger_day', ['school', 'at', 'event'], unique=False)
        batch_op.create_index(batch_op.f('ix_ledger_subject'), ['subject'], unique=False)

    op.create_table('ledger_heads',
    sa.Column('school', sa.String(), nullable=False),
    sa.Column('seq', sa.Integer(), nullable=False),
    sa.Column('hash', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('school')
    )
    op.create_table('outbox',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('school', sa.String(), nullable=False),
    sa.Column('message', sa.LargeBinary(), nullable=False),
    sa.Column('created_at', UtcDateTime, nullable=False),
    sa.Column('due_at', UtcDateTime, nullable=False),
    sa.Column('lease_until', UtcDateTime, nullable=True),
    sa.Column('attempts', sa.Integer(), server_default='0', nullable=False),
    sa.Column('sent_at', UtcDateTime, nullable=True),
    sa.Column('trouble', sa.String(), server_default='', nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('key')
    )
    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.create_index('ix_outbox_waiting', ['due_at'], unique=False, sqlite_where=sa.text('sent_at IS NULL'), postgresql_where=sa.text('sent_at IS NULL'))

    op.create_table('pages',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('account_id', sa.Integer(), nullable=False),
    sa.Column('at', UtcDateTime, nullable=False),
    sa.Column('status', sa.Integer(), nullable=False),
    sa.Column('request_id', sa.String(), nullable=False),
    sa.Column('headers', sa.String(), nullable=False),
    sa.Column('body', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('pages', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_pages_at'), ['at'], unique=False)

    op.create_table('records',
    sa.Column('record_id', sa.String(), nullable=False),
    sa.Column('item_id', sa.Integer(), nullable=False),
    sa.Column('school', sa.String(), nullable=False),
    sa.Column('path', sa.String(), nullable=False),
    sa.Column('manifest_sha256', sa.String(), nullable=False),
    sa.Column('captured_at', UtcDateTime, nullable=False),
    sa.Column('sealed_at', UtcDateTime, nullable=False),
    sa.Column('capture_kind', sa.String(), nullable=False),
    sa.Column('stamp_pending', sa.Boolean(), nullable=False),
    sa.Column('blocked_requests', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('record_id'),
    sa.UniqueConstraint('item_id')
    )
    op.create_table('roll_entries',
    sa.Column('school', sa.String(), nullable=False),
    sa.Column('reference', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('school', 'reference')
    )
    op.create_table('roll_tokens',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('school', sa.String(), nullable=False),
    sa.Column('digest', sa.String(), nullable=False),
    sa.Column('words', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('reference', sa.String(), nullable=False),
    sa.Column('strong', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('roll_tokens', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_roll_tokens_school'), ['school'], unique=False)

    op.create_table('schools',
    sa.Column('slug', sa.String(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('urn', sa.String(), nullable=False),
    sa.Column('head_email', sa.String(), nullable=False),
    sa.Column('email_domains', sa.String(), nullable=False),
    sa.Column('trust', sa.String(), nullable=False),
    sa.Column('ledger', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('slug')
    )
    op.create_table('sign_ins',
    sa.Column('secret_sha256', sa.String(), nullable=False),
    sa.Column('purpose', sa.String(), nullable=False),
    sa.Column('actor', sa.String(), nullable=False),
    sa.Column('expires_at', UtcDateTime, nullable=False),
    sa.Column('used_at', UtcDateTime, nullable=True),
    sa.PrimaryKeyConstraint('secret_sha256')
    )
    op.create_table('accounts',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('school', sa.String(), nullable=False),
    sa.Column('platform', sa.String(), nullable=False),
    sa.Column('handle', sa.String(), nullable=False),
    sa.Column('platform_id', sa.String(), nullable=False),
    sa.Column('contact_email', sa.String(), nullable=False),
    sa.Column('monthly_reads', sa.Integer(), nullable=False),
    sa.Column('next_poll_at', UtcDateTime, nullable=False),
    sa.Column('poll_interval', sa.Float(), nullable=False),
    sa.Column('reads_per_poll', sa.Float(), server_default='0', nullable=False),
    sa.Column('lease_until', UtcDateTime, nullable=True),
    sa.Column('last_good_poll_at', UtcDateTime, nullable=True),
    sa.Column('paused_until', UtcDateTime, nullable=True),
    sa.Column('needs_person', sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.Column('trouble', sa.String(), server_default='', nullable=False),
    sa.ForeignKeyConstraint(['school'], ['schools.slug'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('platform', 'handle')
    )
    with op.batch_alter_table('accounts', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_accounts_school'), ['school'], unique=False)

    op.create_table('approvals',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('account_id', sa.Integer(), nullable=False),
    sa.Column('reference', sa.String(), nullable=False),
    sa.Column('approver', sa.String(), nullable=False),
    sa.Column('approved_on', sa.Date(), nullable=False),
    sa.Column('purpose', sa.String(), nullable=False),
    sa.Column('mode', sa.String(), nullable=False),
    sa.Column('ends_on', sa.Date(), nullable=False),
    sa.Column('withdrawn_at', UtcDateTime, nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('approvals', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_approvals_account_id'), ['account_id'], unique=False)

    op.create_table('budgets',
    sa.Column('account_id', sa.Integer(), nullable=False),
    sa.Column('month', sa.String(), nullable=False),
    sa.Column('reads', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], ),
    sa.PrimaryKeyConstraint('account_id', 'month')
    )
    op.create_table('credentials',
    sa.Column('account_id', sa.Integer(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('updated_at', UtcDateTime, nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], ),
    sa.PrimaryKeyConstraint('account_id')
    )
    op.create_table('cursors',
    sa.Column('account_id', sa.Integer(), nullable=False),
    sa.Column('source', sa.String(), nullable=False),
    sa.Column('cursor', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], ),
    sa.PrimaryKeyConstraint('account_id', 'source')
    )
    op.create_table('items',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('account_id', sa.Integer(), nullable=False),
    sa.Column('school', sa.String(), nullable=False),
    sa.Column('platform', sa.String(), nullable=False),
    sa.Column('comment_id', sa.String(), nullable=False),
    sa.Column('version', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('author_id', sa.String(), nullable=False),
    sa.Column('author_handle', sa.String(), nullable=False),
    sa.Column('author_name', sa.String(), nullable=False),
    sa.Column('text', sa.String(), nullable=False),
    sa.Column('posted_at', UtcDateTime, nullable=False),
    sa.Column('place', sa.String(), nullable=False),
    sa.Column('conversation_id', sa.String(), nullable=False),
    sa.Column('edited', sa.Boolean(), nullable=False),
    sa.Column('media', sa.String(), nullable=False),
    sa.Column('thread', sa.String(), nullable=False),
    sa.Column('hideable', sa.Boolean(), nullable=False),
    sa.Column('first_seen_at', UtcDateTime, nullable=False),
    sa.Column('page_id', sa.Integer(), nullable=True),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('stage', sa.String(), nullable=True),
    sa.Column('rank', sa.Integer(), server_default='9', nullable=False),
    sa.Column('due_at', UtcDateTime, nullable=False),
    sa.Column('lease_until', UtcDateTime, nullable=True),
    sa.Column('attempts', sa.Integer(), server_default='0', nullable=False),
    sa.Column('score', sa.String(), nullable=True),
    sa.Column('decision', sa.String(), nullable=True),
    sa.Column('outcome', sa.String(), nullable=True),
    sa.Column('severity', sa.String(), nullable=True),
    sa.Column('record_id', sa.String(), nullable=True),
    sa.Column('sealed_at', UtcDateTime, nullable=True),
    sa.Column('hide_called_at', UtcDateTime, nullable=True),
    sa.Column('hidden_at', UtcDateTime, nullable=True),
    sa.Column('gone_at', UtcDateTime, nullable=True),
    sa.Column('held_at', UtcDateTime, nullable=True),
    sa.Column('held_stage', sa.String(), nullable=True),
    sa.Column('trouble', sa.String(), server_default='', nullable=False),
    sa.Column('needs_review', sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.Column('pruned', sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.CheckConstraint("hide_called_at IS NULL OR outcome = 'hide'", name='only_hide_outcome_is_hidden'),
    sa.CheckConstraint("state <> 'hidden' OR hide_called_at IS NOT NULL", name='r10_hidden_was_called'),
    sa.CheckConstraint("state NOT IN ('recorded','hidden','upheld','restored','gone') OR (record_id IS NOT NULL AND sealed_at IS NOT NULL)", name='r10_state_needs_record'),
    sa.CheckConstraint('hide_called_at IS NULL OR (record_id IS NOT NULL AND sealed_at IS NOT NULL AND sealed_at < hide_called_at)', name='r10_sealed_before_hide'),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], ),
    sa.ForeignKeyConstraint(['record_id'], ['records.record_id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('account_id', 'comment_id', 'version')
    )
    with op.batch_alter_table('items', schema=None) as batch_op:
        batch_op.create_index('ix_items_day', ['school', 'first_seen_at'], unique=False)
        batch_op.create_index('ix_items_page', ['page_id'], unique=False, sqlite_where=sa.text('stage IS NOT NULL OR held_at IS NOT NULL'), postgresql_where=sa.text('stage IS NOT NULL OR held_at IS NOT NULL'))
        batch_op.create_index('ix_items_queue', ['stage', 'rank', 'due_at', 'id'], unique=False, sqlite_where=sa.text('stage IS NOT NULL'), postgresql_where=sa.text('stage IS NOT NULL'))
        batch_op.create_index('ix_items_review', ['school', 'rank', 'id'], unique=False, sqlite_where=sa.text("needs_review = 1"), postgresql_where=sa.text('needs_review'))
        batch_op.create_index('ix_items_unpruned', ['first_seen_at'], unique=False, sqlite_where=sa.text("state = 'cleared' AND pruned = 0"), postgresql_where=sa.text("state = 'cleared' AND NOT pruned"))

    op.create_table('decisions',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('item_id', sa.Integer(), nullable=False),
    sa.Column('at', UtcDateTime, nullable=False),
    sa.Column('decision', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['item_id'], ['items.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('decisions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_decisions_item_id'), ['item_id'], unique=False)

    op.create_table('reviews',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('item_id', sa.Integer(), nullable=False),
    sa.Column('verdict', sa.String(), nullable=False),
    sa.Column('actor', sa.String(), nullable=False),
    sa.Column('justification', sa.String(), nullable=False),
    sa.Column('at', UtcDateTime, nullable=False),
    sa.Column('done_at', UtcDateTime, nullable=True),
    sa.ForeignKeyConstraint(['item_id'], ['items.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('reviews', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_reviews_item_id'), ['item_id'], unique=False)

    _append_only()


def downgrade() -> None:
    """Take back."""
    _not_append_only()
    with op.batch_alter_table('reviews', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_reviews_item_id'))

    op.drop_table('reviews')
    with op.batch_alter_table('decisions', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_decisions_item_id'))

    op.drop_table('decisions')
    with op.batch_alter_table('items', schema=None) as batch_op:
        batch_op.drop_index('ix_items_unpruned', sqlite_where=sa.text("state = 'cleared' AND pruned = 0"), postgresql_where=sa.text("state = 'cleared' AND NOT pruned"))
        batch_op.drop_index('ix_items_review', sqlite_where=sa.text("needs_review = 1"), postgresql_where=sa.text('needs_review'))
        batch_op.drop_index('ix_items_queue', sqlite_where=sa.text('stage IS NOT NULL'), postgresql_where=sa.text('stage IS NOT NULL'))
        batch_op.drop_index('ix_items_page', sqlite_where=sa.text('stage IS NOT NULL'), postgresql_where=sa.text('stage IS NOT NULL'))
        batch_op.drop_index('ix_items_day')

    op.drop_table('items')
    op.drop_table('cursors')
    op.drop_table('credentials')
    op.drop_table('budgets')
    with op.batch_alter_table('approvals', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_approvals_account_id'))

    op.drop_table('approvals')
    with op.batch_alter_table('accounts', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_accounts_school'))

    op.drop_table('accounts')
    op.drop_table('sign_ins')
    op.drop_table('schools')
    with op.batch_alter_table('roll_tokens', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_roll_tokens_school'))

    op.drop_table('roll_tokens')
    op.drop_table('roll_entries')
    op.drop_table('records')
    with op.batch_alter_table('pages', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_pages_at'))

    op.drop_table('pages')
    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.drop_index('ix_outbox_waiting', sqlite_where=sa.text('sent_at IS NULL'), postgresql_where=sa.text('sent_at IS NULL'))

    op.drop_table('outbox')
    op.drop_table('ledger_heads')
    with op.batch_alter_table('ledger', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_ledger_subject'))
        batch_op.drop_index('ix_ledger_day')

    op.drop_table('ledger')
    op.drop_table('digests')
    with op.batch_alter_table('alerts', schema=None) as batch_op:
        batch_op.drop_index('ix_alerts_waiting', sqlite_where=sa.text('mail_key IS NULL'), postgresql_where=sa.text('mail_key IS NULL'))

    op.drop_table('alerts')
