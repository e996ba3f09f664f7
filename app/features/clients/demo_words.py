"""Words that made-up rows are put together from."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST = _words(
    """
    Ada Amir Anna Ben Carla Chloé Daniel Elif Emma Farid Femke Grace Hana Henrik Ines Ivan Jonas Julia Kofi
    Lena Liam Lucía Marek Mia Nadia Noah Olga Omar Paula Pierre Ravi Rosa Sanne Sofia Tariq Theo Uma Viktor
    Yara Zoë
    """
)
LAST = _words(
    """
    Adeyemi Andersson Bauer Becker Bianchi Castillo Dubois Eriksen Ferrari Fischer Garcia Haddad Hansen
    Hughes Ito Jansen Kaya Keller Kowalski Laurent Lindqvist Lopez Martin Meyer Moreau Novak O’Brien Okafor
    Patel Petrov Quinn Rossi Schmidt Silva Smith Tanaka Varga Walker Yilmaz Zimmer
    """
)
COMPANY = _words(
    """
    Alder Beacon Cedar Delta Ember Falcon Granite Harbour Indigo Juniper Kestrel Linden Meridian Northgate
    Orchard Pinnacle
    """
)
TRADE = _words(
    """
    Analytics Bakery Builders Clinics Foods Freight Interiors Legal Marine Media Motors Partners Robotics
    Solar Textiles Travel
    """
)
TITLES = ("Head of marketing", "Owner", "Buyer", "Managing director", "Office manager", "Sales lead", "Engineer")
CITIES = (("London", "GB"), ("Leeds", "GB"), ("Berlin", "DE"), ("Lyon", "FR"), ("Utrecht", "NL"), ("Milan", "IT"))
CAMPAIGNS = (
    "Autumn outreach",
    "Product launch",
    "Trade fair follow-up",
    "Win-back",
    "Newsletter sign-up",
    "Referral round",
)
