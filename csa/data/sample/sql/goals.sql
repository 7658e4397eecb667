-- Table `goals`.
select * from (
    values
        ('G1', 'Customers stay', 'Lead 001', date '2026-12-31', 'logo_churn_rate'),
        ('G1', 'Customers stay', 'Lead 001', date '2026-12-31', 'gross_revenue_retention'),
        ('G2', 'Customers grow', 'Lead 001', date '2026-12-31', 'net_revenue_retention'),
        ('G3', 'Customers recommend us', 'Lead 002', date '2027-03-31', 'nps'),
        ('G3', 'Customers recommend us', 'Lead 002', date '2027-03-31', 'csat'),
        ('G4', 'Help arrives in time', 'Lead 002', date '2026-12-31', 'first_response_hours'),
        ('G5', 'Decisions rest on numbers', 'Analyst 01', date '2027-06-30', 'decision_days'),
        ('G5', 'Decisions rest on numbers', 'Analyst 01', date '2027-06-30', 'manual_report_hours'),
        ('G6', 'Trials become customers', 'Lead 001', date '2027-06-30', 'trial_to_paid')
) as t(goal_id, name, owner, due_on, metric_id)
order by goal_id, metric_id
