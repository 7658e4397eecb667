-- Table `milestones`.
select milestone_id, project, due_on, done_on,
    round(budget * getvariable('accounts') / 2000)::decimal(18, 4) as budget,
    round(spent * getvariable('accounts') / 2000)::decimal(18, 4) as spent
from (
    values
        ('M01', 'Customer success analytics', date '2024-10-15', date '2024-10-11', 6000, 5400),
        ('M02', 'Customer success analytics', date '2024-12-15', date '2025-01-09', 14000, 17500),
        ('M03', 'Customer success analytics', date '2025-01-31', date '2025-02-06', 12000, 13100),
        ('M04', 'Customer success analytics', date '2025-03-03', date '2025-03-03', 9000, 9200),
        ('M05', 'Customer success analytics', date '2025-06-30', date '2025-06-26', 8000, 7600),
        ('M06', 'Customer success analytics', date '2025-12-15', date '2026-01-20', 9000, 10400),
        ('M07', 'Customer success analytics', date '2026-06-30', date '2026-06-30', 7000, 6900),
        ('M08', 'Customer success analytics', date '2026-10-15', null, 7000, 5100),
        ('M09', 'Customer success analytics', date '2027-03-31', null, 8000, 0),
        ('M10', 'Support tooling', date '2024-11-30', date '2024-11-28', 11000, 10200),
        ('M11', 'Support tooling', date '2025-03-01', date '2025-03-01', 15000, 16900),
        ('M12', 'Support tooling', date '2025-09-30', date '2025-10-17', 6000, 6300)
) as t(milestone_id, project, due_on, done_on, budget, spent)
order by milestone_id
