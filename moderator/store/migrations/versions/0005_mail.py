"""Mail: to whom an alert went and who read it, bounces, spans of days, reports, a school's own words, people's wishes."""

from email import message_from_bytes

import sqlalchemy as sa
from alembic import op

from moderator.store.columns import UtcDateTime

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('mail_wishes',
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('at', UtcDateTime, nullable=False),
    sa.PrimaryKeyConstraint('person_id', 'kind')
    )
    op.create_table('reports',
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('school', sa.String(), nullable=False),
    sa.Column('period', sa.String(), nullable=False),
    sa.Column('composed_at', UtcDateTime, nullable=False),
    sa.PrimaryKeyConstraint('kind', 'school', 'period')
    )
    op.create_table('mail_words',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('school', sa.String(), nullable=False),
    sa.Column('part', sa.String(), nullable=False),
    sa.Column('words', sa.String(), nullable=False),
    sa.Column('author', sa.String(), nullable=False),
    sa.Column('at', UtcDateTime, nullable=False),
    sa.Column('why', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['school'], ['schools.slug'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_mail_words_newest', 'mail_words', ['school', 'part', 'id'], unique=False)
    op.create_table('tellings',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('alert_id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('address', sa.String(), nullable=False),
    sa.Column('mail_key', sa.String(), nullable=False),
    sa.Column('round', sa.Integer(), nullable=False),
    sa.Column('at', UtcDateTime, nullable=False),
    sa.Column('failed_at', UtcDateTime, nullable=True),
    sa.ForeignKeyConstraint(['alert_id'], ['alerts.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('alert_id', 'address')
    )
    op.create_index(op.f('ix_tellings_mail_key'), 'tellings', ['mail_key'], unique=False)
    op.add_column('alerts', sa.Column('reroute_at', UtcDateTime, nullable=True))
    op.add_column('alerts', sa.Column('round', sa.Integer(), server_default='0', nullable=False))
    op.add_column('alerts', sa.Column('read_at', UtcDateTime, nullable=True))
    op.add_column('alerts', sa.Column('read_by', sa.String(), server_default='', nullable=False))
    op.create_index('ix_alerts_item', 'alerts', ['item_id'], unique=False, sqlite_where=sa.text('item_id IS NOT NULL'), postgresql_where=sa.text('item_id IS NOT NULL'))
    op.create_index('ix_alerts_open', 'alerts', ['school'], unique=False, sqlite_where=sa.text("severity = 'severe' AND read_at IS NULL"), postgresql_where=sa.text("severity = 'severe' AND read_at IS NULL"))
    op.create_index('ix_alerts_told', 'alerts', ['school', 'id'], unique=False, sqlite_where=sa.text('mail_key IS NOT NULL'), postgresql_where=sa.text('mail_key IS NOT NULL'))
    op.create_index('ix_alerts_unread', 'alerts', ['reroute_at'], unique=False, sqlite_where=sa.text('reroute_at IS NOT NULL'), postgresql_where=sa.text('reroute_at IS NOT NULL'))
    op.add_column('digests', sa.Column('first_day', sa.Date(), nullable=True))
    op.add_column('outbox', sa.Column('message_id', sa.String(), server_default='', nullable=False))
    op.add_column('outbox', sa.Column('bounced_at', UtcDateTime, nullable=True))
    op.add_column('outbox', sa.Column('bounce', sa.String(), server_default='', nullable=False))
    op.create_index('ix_outbox_bounced', 'outbox', ['bounced_at'], unique=False, sqlite_where=sa.text('bounced_at IS NOT NULL'), postgresql_where=sa.text('bounced_at IS NOT NULL'))
    op.create_index(op.f('ix_outbox_message_id'), 'outbox', ['message_id'], unique=False)
    op.add_column('schools', sa.Column('trust_domains', sa.String(), server_default='[]', nullable=False))
    _name_messages()


def _name_messages() -> None:
    """Write down the Message-ID of what is in the outbox: a bounce names it."""
    outbox = sa.table("outbox", sa.column("id", sa.Integer), sa.column("message", sa.LargeBinary), sa.column("message_id", sa.String))
    connection = op.get_bind()
    for row in connection.execute(sa.select(outbox.c.id, outbox.c.message)).all():
        found = str(message_from_bytes(row.message)["Message-ID"] or "").strip().strip("<>")
        connection.execute(sa.update(outbox).where(outbox.c.id == row.id).values(message_id=found))



def downgrade() -> None:
    op.drop_column('schools', 'trust_domains')
    op.drop_index(op.f('ix_outbox_message_id'), table_name='outbox')
    op.drop_index('ix_outbox_bounced', table_name='outbox', sqlite_where=sa.text('bounced_at IS NOT NULL'), postgresql_where=sa.text('bounced_at IS NOT NULL'))
    op.drop_column('outbox', 'bounce')
    op.drop_column('outbox', 'bounced_at')
    op.drop_column('outbox', 'message_id')
    op.drop_column('digests', 'first_day')
    op.drop_index('ix_alerts_unread', table_name='alerts', sqlite_where=sa.text('reroute_at IS NOT NULL'), postgresql_where=sa.text('reroute_at IS NOT NULL'))
    op.drop_index('ix_alerts_told', table_name='alerts', sqlite_where=sa.text('mail_key IS NOT NULL'), postgresql_where=sa.text('mail_key IS NOT NULL'))
    op.drop_index('ix_alerts_open', table_name='alerts', sqlite_where=sa.text("severity = 'severe' AND read_at IS NULL"), postgresql_where=sa.text("severity = 'severe' AND read_at IS NULL"))
    op.drop_index('ix_alerts_item', table_name='alerts', sqlite_where=sa.text('item_id IS NOT NULL'), postgresql_where=sa.text('item_id IS NOT NULL'))
    op.drop_column('alerts', 'read_by')
    op.drop_column('alerts', 'read_at')
    op.drop_column('alerts', 'round')
    op.drop_column('alerts', 'reroute_at')
    op.drop_index(op.f('ix_tellings_mail_key'), table_name='tellings')
    op.drop_table('tellings')
    op.drop_index('ix_mail_words_newest', table_name='mail_words')
    op.drop_table('mail_words')
    op.drop_table('reports')
    op.drop_table('mail_wishes')
