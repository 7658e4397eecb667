"""`csa init`: the proposal is valid, marks its guesses, and works for common exports."""

import os
from pathlib import Path

import ibis
import pytest

from csa import settings
from csa.data.propose import proposal, propose
from csa.data.sources import Tables, faults
from csa.errors import ConfigError, InputError


@pytest.fixture
def made(tmp_path):
    """Write files, propose a csa.yml, load it: (text, settings)."""

    def make(files):
        folder = tmp_path / "data"
        folder.mkdir(exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        written = propose(folder, tmp_path / "workspace")
        text = written.read_text("utf-8")
        return text, settings.load(written)

    return make


CUSTOMERS = (
    "Customer ID;Company Name;Country;Signup Date;Plan Tier;Newsletter\n"
    "17;Ann & Co: shops;DE;31.01.2024;Pro;yes\n18;Bo;FR;01.02.2024;Basic;no\n"
)
CONTRACTS = (
    "contract_id,customer_id,start_date,end_date,monthly_price_usd,auto_renew\n"
    '1,17,31.01.2024,,"1.200,50",true\n2,18,01.02.2024,13.05.2024,"80,00",false\n'
)


def test_common_exports_become_tables(made):
    text, read = made({"customers.csv": CUSTOMERS, "contracts_2024.csv": CONTRACTS})
    assert faults(read) == []
    assert 'signed_up_on: {from: Signup Date, format: "%d.%m.%Y"}  # guess: by its name; as' in text
    assert 'mrr: {from: monthly_price_usd, decimal: ","}  # guess' in text
    assert "currency: USD  # guess: named in the files" in text
    assert "# kept as attributes to split by: Newsletter" in text
    assert "# not placed: auto_renew" in text
    assert "# observed_from: always" in text
    with Tables(read) as tables:
        assert tables.names() == ["accounts", "subscriptions"]
        accounts = tables.table("accounts").order_by("account_id").execute()
        assert accounts.account_id.tolist() == ["17", "18"]
        assert accounts.name.tolist() == ["Ann & Co: shops", "Bo"]
        assert accounts.region.tolist() == ["DE", "FR"]
        assert accounts.plan.tolist() == ["Pro", "Basic"]
        subscriptions = tables.table("subscriptions").order_by("account_id").execute()
        assert [str(m) for m in subscriptions.mrr] == ["1200.5000", "80.0000"]
        assert tables.observed_from("subscriptions") is None  # nobody can guess that


def test_files_called_like_ours_need_no_mapping(made):
    text, read = made({"accounts.csv": "account_id,signed_up_on\na,2024-01-05\n"})
    assert "accounts: {}  # its columns are called like ours" in text
    assert faults(read) == []


def test_what_is_missing_is_said_and_left_to_csa_check(made):
    text, read = made({"customers.csv": "customer_no,tenure\n1,5\n"})
    assert "# signed_up_on: COLUMN  # required, and nothing was found" in text
    (line,) = faults(read)
    assert "accounts.columns.signed_up_on: required, but no column" in line


def test_one_file_may_hold_accounts_and_their_subscription(made):
    text, read = made(
        {"customers.csv": "id,name,since,mrr,plan,canceled_at\n1,Ann,2024-01-05,10,Pro,\n"}
    )
    assert "subscriptions:  # guess: one for each account, from the same file" in text
    assert faults(read) == []
    with Tables(read) as tables:
        (row,) = tables.engine.to_pyarrow(tables.table("subscriptions")).to_pylist()
        assert (row["subscription_id"], row["account_id"], str(row["start_on"])) == (
            "1",
            "1",
            "2024-01-05",
        )


def test_accounts_and_amounts_are_made_from_invoice_lines(made):
    lines = "InvoiceNo,Quantity,InvoiceDate,UnitPrice,CustomerID\n"
    lines += "1,2,05/13/2024 10:00,1.5,a\n1,1,05/13/2024 10:00,3,a\n2,1,05/14/2024 10:00,3,\n"
    text, read = made({"online retail.csv": lines})
    assert "accounts:  # guess: no file of accounts; made from online retail.csv" in text
    assert faults(read) == []
    with Tables(read) as tables:
        assert tables.table("transactions").amount.sum().execute() == 6
        accounts = tables.engine.to_pyarrow(tables.table("accounts")).to_pylist()
        assert [(a["account_id"], str(a["signed_up_on"])) for a in accounts] == [
            ("a", "2024-05-13")
        ]
        assert "transaction_id" not in tables.mapped("transactions")  # lines repeat it


def test_the_account_of_an_event_may_stand_in_another_file(made):
    text, read = made(
        {
            "crm_subscriptions.csv": "subscription_id,account_id,start_date,mrr\n"
            "s1,a,2024-01-05,10\ns2,b,2024-01-05,10\n",
            "feature_usage.csv": "subscription_id,usage_date,feature_name\ns2,2024-02-05,x\n",
        }
    )
    assert "JOIN crm_subscriptions AS o USING (subscription_id)" in text
    assert faults(read) == []
    with Tables(read) as tables:
        assert tables.table("usage_events").account_id.execute().tolist() == ["b"]


def test_ambiguous_dates_are_guessed_day_first_and_said(made):
    text, read = made({"tickets.csv": "id,customer,created\n1,a,05/04/2024\n"})
    assert 'format: "%d/%m/%Y"}  # guess: by its name; as in 05/04/2024, but %m/%d/%Y' in text
    assert faults(read) == []


def test_unreadable_and_unknown_files_are_listed(made):
    text, read = made(
        {
            "accounts.csv": "account_id,signed_up_on\na,2024-01-05\n",
            "weather.csv": "city,rain\nx,1\n",
            "broken.parquet": b"PAR1 cut",
            "empty.csv": "",
        }
    )
    assert "# not placed: weather.csv with city, rain" in text
    assert "# cannot be read: broken.parquet is a Parquet file that was cut off" in text
    assert "# cannot be read: empty.csv is empty" in text
    assert faults(read) == []


def test_odd_names_stay_valid_yaml(made):
    text, read = made(
        {
            'customers\' #1: "new".csv': '"Customer: ID","Sign-Up {Date}","No\nte",é: #\n'
            "1,2024-01-05,x,y\n"
        }
    )
    assert read.data.tables["accounts"].file == 'customers\' #1: "new".csv'
    assert faults(read) == [] or "signed_up_on" in faults(read)[0]
    assert "\x07" not in text


def test_parquet_types_are_respected(made, tmp_path):
    (tmp_path / "data").mkdir()
    con = ibis.duckdb.connect()
    con.raw_sql(
        "COPY (SELECT 1 AS customer_id, TIMESTAMP '2024-01-05' AS created_at, 3 AS since) "
        f"TO '{tmp_path}/data/clients.parquet'"
    )
    text, read = made({})
    assert "signed_up_on: created_at" in text  # since holds numbers
    assert faults(read) == []


def test_proposal_never_overwrites(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "csa.yml").write_text("name: mine\n")
    with pytest.raises(ConfigError, match="is there already; move it away"):
        propose(tmp_path / "data", tmp_path)
    assert (tmp_path / "csa.yml").read_text() == "name: mine\n"


def test_proposal_needs_files(tmp_path):
    with pytest.raises(InputError, match="no CSV or Parquet file in it"):
        propose(tmp_path, tmp_path / "w")
    with pytest.raises(InputError, match="no such folder"):
        propose(tmp_path / "gone", tmp_path / "w")
    assert not (tmp_path / "w").exists()


@pytest.mark.parametrize(
    ("name", "tables", "left"),
    [
        ("ravenstack", ["accounts", "subscriptions", "usage_events", "tickets"], 0),
        ("telco", ["accounts"], 1),
        ("online_retail", ["accounts", "transactions"], 0),
        ("mrr_playbook", ["accounts", "subscriptions"], 0),
    ],
)
def test_real_exports(tmp_path, name, tables, left):
    if not os.environ.get("CSA_DATA"):
        pytest.skip("CSA_DATA is not set")
    text = proposal(Path(os.environ["CSA_DATA"]) / name, tmp_path)
    (tmp_path / "csa.yml").write_text(text)
    read = settings.load(tmp_path)
    assert list(read.data.tables) == tables
    assert len(faults(read)) == left
