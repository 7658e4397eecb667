"""Other people's names for our tables and columns, as `csa init` knows them.

Names are compared without case, blanks and punctuation. The first words are the surest.
"""

# Words in the name of a file; those in the second tuple say less.
TABLE_WORDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "accounts": (
        ("accounts", "account", "customers", "customer", "clients", "client", "companies"),
        ("organisations", "organizations", "tenants", "workspaces", "kunden", "members"),
    ),
    "subscriptions": (
        ("subscriptions", "subscription", "contracts", "contract", "vertraege", "abos"),
        ("plans", "licences", "licenses", "memberships", "mrr"),
    ),
    "transactions": (
        ("transactions", "transaction", "orders", "purchases", "invoices", "payments"),
        ("sales", "retail", "order", "invoice", "purchase", "bestellungen", "rechnungen"),
    ),
    "usage_events": (
        ("usage", "activity", "activities", "clickstream", "telemetry"),
        ("events", "logs", "sessions", "logins", "nutzung"),
    ),
    "features": (("features", "modules"), ("feature",)),
    "surveys": (("surveys", "survey", "nps", "csat", "ces"), ("responses", "feedback")),
    "tickets": (("tickets", "ticket", "cases"), ("support", "supports", "issues", "requests")),
    "interventions": (("interventions", "outreach", "playbooks"), ("touches", "calls", "actions")),
    "opportunities": (("opportunities", "deals", "pipeline"), ("renewals", "upsells")),
    "campaigns": (("campaigns", "campaign"), ()),
    "campaign_accounts": (("exposures", "campaignmembers", "campaignaccounts"), ("members",)),
    "cash_flows": (("cashflows", "costs", "benefits"), ("budget",)),
    "staff": (("staff", "employees", "people"), ("team", "csms", "agents")),
    "training": (("training", "trainings", "courses"), ("certifications",)),
    "measurements": (("measurements", "kpis", "metrics"), ()),
    "benchmarks": (("benchmarks", "benchmark"), ()),
    "goals": (("goals", "okrs"), ("objectives",)),
    "baselines": (("baselines", "baseline"), ()),
    "milestones": (("milestones",), ()),
    "decisions": (("decisions",), ()),
}

_ACCOUNT = (
    *("account", "customerid", "customer", "clientid", "client", "companyid", "company"),
    *("organizationid", "organisationid", "orgid", "tenantid", "workspaceid", "kundennummer"),
    *("kundenid", "kunde", "customernumber", "customerno", "accountnumber", "memberid"),
)
_STARTED = ("startdate", "startedon", "startedat", "startson", "start", "begindate", "begin")
_ENDED = ("enddate", "endedon", "endedat", "endson", "end", "ende", "canceledat", "cancelledat")
_AMOUNT = ("amountpaid", "total", "totalamount", "revenue", "value", "price", "betrag", "paid")
_COST = ("costs", "spend", "spent", "expense", "kosten")
_USER = ("user", "memberid", "contactid", "personid", "seatid", "login", "username")
_OWNER = ("csm", "accountmanager", "manager", "accountowner", "assignee", "agent")

# By column name; a table's own words come first.
COLUMN_WORDS: dict[str, tuple[str, ...]] = {
    "account_id": _ACCOUNT,
    "name": ("fullname", "title", "companyname", "customername", "label"),
    "segment": ("tier", "size", "companysize", "customersegment", "customertype", "kundengruppe"),
    "industry": ("sector", "vertical", "branche"),
    "region": ("country", "state", "territory", "geography", "market", "land", "location"),
    "plan": ("plantier", "plantype", "plan", "product", "package", "edition", "tarif"),
    "owner": _OWNER,
    "channel": ("referralsource", "source", "acquisitionchannel", "leadsource", "utmsource"),
    "signed_up_on": (
        *("signupdate", "signup", "signedup", "signedupat", "signupat", "registeredat"),
        *("registrationdate", "joindate", "joinedon", "joinedat", "customersince", "since"),
        *("createdat", "createdon", "createddate", "created", "creationdate", "startdate"),
        *("firstseen", "firstorder", "activationdate", "onboardedat", "kundeseit"),
    ),
    "trial_started_on": ("trialstart", "trialstartdate", "trialstartedat"),
    "trial_ended_on": ("trialend", "trialenddate", "trialendedat"),
    "converted_on": ("converteddate", "convertedat", "conversiondate", "paidsince"),
    "acquisition_cost": ("cac", "customeracquisitioncost"),
    "subscription_id": ("contractid", "contractnumber", "membershipid", "licenseid", "vertrag"),
    "start_on": (*_STARTED, "subscribedat", "createdat", "currentperiodstart", "beginn"),
    "end_on": (*_ENDED, "churndate", "churnedon", "churnedat", "terminatedat", "expirydate"),
    "renews_on": ("renewaldate", "renewsat", "nextrenewal", "renewal", "currentperiodend"),
    "mrr": (
        *("mrramount", "monthlyamount", "monthlyrecurringrevenue", "monthlycharges"),
        *("monthlyprice", "monthlyfee", "monthlyrevenue", "price", "amount", "preis"),
    ),
    "list_mrr": ("listprice", "listamount", "grossmrr"),
    "discount_ends_on": ("discountend", "discountenddate", "discountuntil"),
    "currency": ("currencycode", "waehrung"),
    "seats": ("licenses", "licences", "users", "quantity", "seatcount", "numseats"),
    "billing_months": ("billingperiodmonths", "termmonths", "intervalmonths"),
    "end_reason": ("churnreason", "cancelreason", "cancellationreason", "reason", "reasoncode"),
    "transaction_id": (
        *("invoiceno", "invoiceid", "invoicenumber", "orderid", "ordernumber", "orderno"),
        *("paymentid", "receiptid", "purchaseid", "rechnungsnummer"),
    ),
    "occurred_at": (
        *("occurredon", "timestamp", "eventtime", "eventtimestamp", "eventdate", "datetime"),
        *("usagedate", "invoicedate", "orderdate", "purchasedate", "transactiondate", "paidat"),
        *("paymentdate", "createdat", "loggedat", "time", "date", "day", "datum", "ts"),
    ),
    "amount": _AMOUNT,
    "user_id": _USER,
    "feature": ("featurename", "eventname", "event", "eventtype", "action", "module", "page"),
    "quantity": ("usagecount", "count", "n", "uses", "units", "qty", "clicks"),
    "seconds": (
        "usagedurationsecs",
        "durationseconds",
        "durationsecs",
        "duration",
        "sessionlength",
    ),
    "session_id": ("session", "visitid"),
    "device": ("devicetype", "platform", "client", "os", "browser"),
    "area": ("module", "category", "group"),
    "launched_on": ("launchdate", "launchedat", "releasedon", "releasedate"),
    "response_id": ("surveyid", "answerid", "invitationid", "feedbackid"),
    "kind": ("type", "surveytype", "opportunitytype", "campaigntype", "category"),
    "sent_at": ("sentdate", "sent", "senton", "invitedat", "surveydate", "sentat"),
    "answered_at": ("answeredon", "answerdate", "respondedat", "responsedate", "submittedat"),
    "score": ("rating", "npsscore", "nps", "csatscore", "value", "answer", "satisfactionscore"),
    "comment": ("comments", "feedback", "feedbacktext", "text", "verbatim"),
    "campaign_id": ("campaign",),
    "ticket_id": ("caseid", "casenumber", "issueid", "requestid", "ticketnumber"),
    "opened_at": ("submittedat", "openedon", "opened", "createdat", "created", "createddate"),
    "first_response_at": ("firstresponse", "firstreplyat", "firstrespondedat"),
    "resolved_at": ("closedat", "closed", "closedon", "solvedat", "resolvedon", "resolutiondate"),
    "contacts": ("touches", "replies", "interactions", "messages"),
    "category": ("topic", "type", "issuetype", "subject", "reason"),
    "priority": ("severity", "urgency"),
    "escalated_at": ("escalationdate", "escalatedon", "escalated"),
    "intervention_id": ("actionid", "taskid", "outreachid", "playbookid"),
    "trigger": ("reason", "cause"),
    "started_at": (*_STARTED, "date", "createdat"),
    "ended_at": (*_ENDED, "completedat", "closedat"),
    "outcome": ("result", "status"),
    "cost": _COST,
    "opportunity_id": ("dealid", "leadid"),
    "opened_on": ("createdat", "created", "createddate", "opendate", "openedat"),
    "closed_on": ("closedate", "closedat", "closed"),
    "stage": ("status", "dealstage"),
    "started_on": _STARTED,
    "ended_on": _ENDED,
    "exposed_at": ("exposedon", "exposuredate", "sentat", "date", "timestamp", "addedat"),
    "person_id": ("employeeid", "staffid", "person", "employee", "agentid"),
    "role": ("jobtitle", "position", "title"),
    "team": ("department", "group"),
    "course": ("coursename", "training", "trainingname"),
    "assigned_on": ("assignedat", "assigneddate"),
    "completed_on": ("completedat", "completiondate", "finishedon"),
    "metric_id": ("metric", "kpi", "indicator"),
    "measured_on": ("date", "day", "period", "month"),
    "value": ("result", "amount", "score"),
    "initiative": ("project", "program"),
    "occurs_on": ("date", "month", "paidon", "bookedon"),
    "goal_id": ("goal", "objectiveid"),
    "due_on": ("duedate", "due", "deadline"),
    "milestone_id": ("milestone",),
    "decision_id": ("decision",),
}

# Names that a table's columns are often prefixed with: account_name is a name.
PREFIXES: dict[str, tuple[str, ...]] = {
    "accounts": ("account", "customer", "client", "company"),
    "subscriptions": ("subscription", "contract"),
    "transactions": ("transaction", "order", "invoice", "payment", "purchase"),
    "usage_events": ("event", "usage"),
    "features": ("feature",),
    "surveys": ("survey", "response"),
    "tickets": ("ticket", "case"),
    "interventions": ("intervention",),
    "opportunities": ("opportunity", "deal"),
    "campaigns": ("campaign",),
    "staff": ("employee", "staff"),
}
CURRENCIES = ("usd", "eur", "gbp", "chf", "jpy", "cad", "aud", "sek", "nok", "dkk", "pln", "inr")
SIGNS = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY"}
