"""Permanent records for good: keys, stamps, holds, disposals, retention, checks, what people hand in, police reports."""

import sqlalchemy as sa
from alembic import op

from moderator.store.columns import UtcDateTime

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def _append_only() -> None:
    """What a person handed in is as permanent as what the service captured (R9)."""
    postgres = op.get_bind().dialect.name == "postgresql"
    for name, when in (("no_edit", "UPDATE"), ("no_delete", "DELETE")):
        does = (
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
            if postgres
            else "BEGIN SELECT RAISE(ABORT, 'records and ledger lines are permanent'); END"
        )
        op.execute(f"CREATE TRIGGER submitted_{name} BEFORE {when} ON submitted {does}")


def upgrade() -> None:
    op.create_table('checks',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('school', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('started_at', UtcDateTime, nullable=False),
    sa.Column('finished_at', UtcDateTime, nullable=True),
    sa.Column('position', sa.String(), server_default='', nullable=False),
    sa.Column('checked', sa.Integer(), server_default='0', nullable=False),
    sa.Column('disposed', sa.Integer(), server_default='0', nullable=False),
    sa.Column('faults', sa.Integer(), server_default='0', nullable=False),
    sa.Column('details', sa.String(), server_default='[]', nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_checks_school', 'checks', ['school', 'kind', 'started_at'], unique=False)
    op.create_table('disposals',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('record_id', sa.String(), nullable=False),
    sa.Column('school', sa.String(), nullable=False),
    sa.Column('ground', sa.String(), nullable=False),
    sa.Column('why', sa.String(), nullable=False),
    sa.Column('asked_by', sa.String(), nullable=False),
    sa.Column('asked_at', UtcDateTime, nullable=False),
    sa.Column('approved_by', sa.String(), server_default='', nullable=False),
    sa.Column('approved_why', sa.String(), server_default='', nullable=False),
    sa.Column('approved_at', UtcDateTime, nullable=True),
    sa.Column('refused_by', sa.String(), server_default='', nullable=False),
    sa.Column('refused_why', sa.String(), server_default='', nullable=False),
    sa.Column('refused_at', UtcDateTime, nullable=True),
    sa.Column('done_at', UtcDateTime, nullable=True),
    sa.CheckConstraint("approved_by = '' OR approved_by <> asked_by", name='r30_two_people'),
    sa.CheckConstraint('done_at IS NULL OR approved_at IS NOT NULL', name='r30_done_was_approved'),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_disposals_record_id'), 'disposals', ['record_id'], unique=False)
    op.create_table('legal_holds',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('record_id', sa.String(), nullable=False),
    sa.Column('school', sa.String(), nullable=False),
    sa.Column('reference', sa.String(), nullable=False),
    sa.Column('why', sa.String(), nullable=False),
    sa.Column('by', sa.String(), nullable=False),
    sa.Column('at', UtcDateTime, nullable=False),
    sa.Column('released_by', sa.String(), server_default='', nullable=False),
    sa.Column('released_why', sa.String(), server_default='', nullable=False),
    sa.Column('released_at', UtcDateTime, nullable=True),
    sa.Column('stored_at', UtcDateTime, nullable=True),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_legal_holds_record_id'), 'legal_holds', ['record_id'], unique=False)
    op.create_table('record_keys',
    sa.Column('record_id', sa.String(), nullable=False),
    sa.Column('school', sa.String(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=True),
    sa.Column('key_sha256', sa.String(), nullable=False),
    sa.Column('made_at', UtcDateTime, nullable=False),
    sa.Column('destroyed_at', UtcDateTime, nullable=True),
    sa.PrimaryKeyConstraint('record_id')
    )
    op.create_table('record_stamps',
    sa.Column('record_id', sa.String(), nullable=False),
    sa.Column('authority', sa.String(), nullable=False),
    sa.Column('round', sa.Integer(), nullable=False),
    sa.Column('school', sa.String(), nullable=False),
    sa.Column('at', UtcDateTime, nullable=False),
    sa.Column('expires_at', UtcDateTime, nullable=False),
    sa.PrimaryKeyConstraint('record_id', 'authority', 'round')
    )
    op.create_index('ix_record_stamps_expiry', 'record_stamps', ['school', 'authority', 'expires_at'], unique=False)
    op.create_table('retention',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('record_id', sa.String(), nullable=False),
    sa.Column('school', sa.String(), nullable=False),
    sa.Column('record_class', sa.String(), nullable=False),
    sa.Column('review_on', sa.Date(), nullable=False),
    sa.Column('by', sa.String(), nullable=False),
    sa.Column('why', sa.String(), nullable=False),
    sa.Column('at', UtcDateTime, nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_retention_record_id'), 'retention', ['record_id'], unique=False)
    op.create_index('ix_retention_review', 'retention', ['school', 'review_on'], unique=False)
    op.create_table('submitted',
    sa.Column('record_id', sa.String(), nullable=False),
    sa.Column('school', sa.String(), nullable=False),
    sa.Column('path', sa.String(), nullable=False),
    sa.Column('manifest_sha256', sa.String(), nullable=False),
    sa.Column('captured_at', UtcDateTime, nullable=False),
    sa.Column('sealed_at', UtcDateTime, nullable=False),
    sa.Column('by', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('record_id')
    )
    op.create_index(op.f('ix_submitted_school'), 'submitted', ['school'], unique=False)
    op.create_table('police_reports',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('item_id', sa.Integer(), nullable=False),
    sa.Column('by', sa.String(), nullable=False),
    sa.Column('at', UtcDateTime, nullable=False),
    sa.Column('reference', sa.String(), nullable=False),
    sa.Column('note', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['item_id'], ['items.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_police_reports_item_id'), 'police_reports', ['item_id'], unique=False)
    op.create_index('ix_records_pending', 'records', ['school'], unique=False,
    sqlite_where=sa.text('stamp_pending = 1'), postgresql_where=sa.text('stamp_pending'))
    op.create_index('ix_items_record', 'items', ['record_id'], unique=False,
    sqlite_where=sa.text('record_id IS NOT NULL'), postgresql_where=sa.text('record_id IS NOT NULL'))
    _append_only()


def downgrade() -> None:
    op.drop_index('ix_items_record', table_name='items', sqlite_where=sa.text('record_id IS NOT NULL'), postgresql_where=sa.text('record_id IS NOT NULL'))
    op.drop_index('ix_records_pending', table_name='records', sqlite_where=sa.text('stamp_pending = 1'), postgresql_where=sa.text('stamp_pending'))
    op.drop_index(op.f('ix_police_reports_item_id'), table_name='police_reports')
    op.drop_table('police_reports')
    op.drop_index(op.f('ix_submitted_school'), table_name='submitted')
    op.drop_table('submitted')
    op.drop_index('ix_retention_review', table_name='retention')
    op.drop_index(op.f('ix_retention_record_id'), table_name='retention')
    op.drop_table('retention')
    op.drop_index('ix_record_stamps_expiry', table_name='record_stamps')
    op.drop_table('record_stamps')
    op.drop_table('record_keys')
    op.drop_index(op.f('ix_legal_holds_record_id'), table_name='legal_holds')
    op.drop_table('legal_holds')
    op.drop_index(op.f('ix_disposals_record_id'), table_name='disposals')
    op.drop_table('disposals')
    op.drop_index('ix_checks_school', table_name='checks')
    op.drop_table('checks')
